import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from './folder.ts';
import { childCommands, openedSince, openResources } from './openResources.ts';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { until } from './until.ts';

/** Not gone yet; one that has ended and that nobody has collected (a zombie) is gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('a process is waited for by what it writes, and stopped', async () => {
  const child = await startProcess({
    command: 'sh',
    args: ['-c', 'echo "listening on $PORT"; exec sleep 60'],
    env: { PORT: '7' },
  });
  expect((await child.waitFor(/listening on (\d+)/))[1]).toBe('7');
  expect(child.isRunning()).toBe(true);
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  expect(child.isRunning()).toBe(false);
});

test('waiting for a process that ended says how it ended and what it wrote', async () => {
  const child = await startProcess({ command: 'sh', args: ['-c', 'echo "no such port" >&2; exit 3'] });
  await expect(child.waitFor(/listening/)).rejects.toThrow(/ended \(3\) before it wrote.*no such port/s);
});

test('a process is done when it has ended, even if another one still holds its output open', async () => {
  const child = await startProcess({ command: 'sh', args: ['-c', 'sleep 30 & echo "left $!"'] });
  const left = Number((await child.waitFor(/left (\d+)/))[1]);
  expect(await child.ended).toEqual({ code: 0, signal: null });
  expect(isAlive(left)).toBe(true);
  process.kill(left);
});

test('a process that ignores SIGTERM is killed', async () => {
  const child = await startProcess({
    command: 'sh',
    args: ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'],
  });
  await child.waitFor(/ready/);
  expect(await child.stop({ within: 50 })).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a process does not outlive the one that started it, however that one ends', async () => {
  const kit = fileURLToPath(new URL('./process.ts', import.meta.url));
  const parent = `
    import { startProcess } from ${JSON.stringify(kit)};
    const child = await startProcess({ command: 'sleep', args: ['60'] });
    console.log('child ' + child.pid);
    setInterval(() => {}, 1000);
  `;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const starter = await startProcess({
      command: process.execPath,
      args: ['--import', 'tsx', '--input-type=module', '--eval', parent],
    });
    const pid = Number((await starter.waitFor(/child (\d+)/))[1]);
    expect(isAlive(pid)).toBe(true);
    await starter.stop({ signal });
    await until(() => !isAlive(pid), { what: `the child to end with its starter (${signal})` });
  }
});

test('a free port can be listened on, and no port is given out twice', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  expect(new Set(ports).size).toBe(20);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(ports[0], '127.0.0.1', resolve));
  await new Promise((resolve) => server.close(resolve));
});

test('waiting in vain says for what, and why it was not there yet', async () => {
  await expect(until(() => false, { what: 'the lobby to open', timeout: 30 })).rejects.toThrow(
    'waited 30 ms for the lobby to open',
  );
  const failing = () => {
    throw new Error('expected 1 to be 2');
  };
  await expect(until(failing, { what: 'two', timeout: 30 })).rejects.toThrow(
    'waited 30 ms for two: expected 1 to be 2',
  );
  let asked = 0;
  expect(await until(() => (++asked === 3 ? 'third' : undefined), { what: 'the third answer' })).toBe(
    'third',
  );
});

test('a temporary folder goes when it is closed', async () => {
  const folder = temporaryFolder('kit');
  expect(existsSync(folder.path)).toBe(true);
  await folder.close();
  expect(existsSync(folder.path)).toBe(false);
});

test('what a test leaves open is named, and no longer once it is closed', async () => {
  const before = openResources();
  const server = createServer().listen(0, '127.0.0.1');
  const child = await startProcess({ command: 'sleep', args: ['60'] });
  expect(openedSince(before).sort()).toEqual(['1 × child process', '1 × listening socket']);
  await until(() => childCommands().includes(`pid ${child.pid}: sleep 60`), {
    what: 'the child to be named',
  });

  const { port } = server.address() as AddressInfo;
  const connection = connect(port, '127.0.0.1');
  await until(() => openedSince(before).some((line) => /connection/.test(line)), {
    what: 'the connection to count',
  });

  connection.destroy();
  server.close();
  await child.stop();
  await until(() => openedSince(before).length === 0, { what: 'nothing to be open' });
});

test('the installer is quiet where nothing is missing', () => {
  const installer = fileURLToPath(new URL('./install.js', import.meta.url));
  const run = spawnSync(process.execPath, [installer], { encoding: 'utf8' });
  expect(run).toMatchObject({ status: 0, stdout: '', stderr: '' });
});
