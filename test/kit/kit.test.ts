import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from './folder.ts';
import { networkTo } from './network.ts';
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
      args: [
        '--import',
        new URL('./sources.js', import.meta.url).href,
        '--input-type=module',
        '--eval',
        parent,
      ],
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

/** A server that says back what it hears, and what a client on the other side of a network hears of it. */
async function echoed() {
  const ended: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => ended.push(error.code ?? error.message));
    socket.on('close', (hadError) => hadError || ended.push('closed'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const network = await networkTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const client = connect(Number(new URL(network.url).port), '127.0.0.1');
  let heard = '';
  const endings: string[] = [];
  client.on('data', (chunk) => {
    heard += chunk;
  });
  client.on('error', (error: NodeJS.ErrnoException) => endings.push(error.code ?? error.message));
  client.on('close', (hadError) => hadError || endings.push('closed'));
  await new Promise((resolve) => client.once('connect', resolve));
  return {
    network,
    client,
    ended,
    endings,
    hears: (text: string) => until(() => heard === text, { what: `to hear "${text}" and not "${heard}"` }),
    heard: () => heard,
    async close() {
      client.destroy();
      await network.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a network breaks connections by FIN or by RST, and lets new ones through', async () => {
  for (const [how, ending] of [
    ['fin', 'closed'],
    ['rst', 'ECONNRESET'],
  ] as const) {
    const { network, client, hears, ended, endings, close } = await echoed();
    client.write('a');
    await hears('a');
    network.cut(how);
    await until(() => ended.length > 0 && endings.length > 0, { what: 'both sides to notice' });
    expect([ended[0], endings[0]]).toEqual([ending, ending]);
    const again = connect(Number(new URL(network.url).port), '127.0.0.1');
    again.write('b');
    await new Promise((resolve) => again.once('data', resolve));
    again.destroy();
    await close();
  }
});

test('a network that swallows everything tells neither side, and delivers it once it is mended', async () => {
  const { network, client, hears, heard, ended, endings, close } = await echoed();
  client.write('a');
  await hears('a');
  network.swallow('toClient');
  client.write('b');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(heard()).toBe('a');
  network.swallow();
  client.write('c');
  network.mend();
  await hears('abc');
  network.swallow();
  client.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([ended, endings]).toEqual([[], ['closed']]);
  network.mend();
  await until(() => ended.length > 0, { what: 'the server to notice' });
  await close();
});

test('a network is as slow as it is told to be', async () => {
  const { network, client, hears, close } = await echoed();
  network.slow({ latencyMs: 100 });
  const began = performance.now();
  client.write('a');
  await hears('a');
  expect(performance.now() - began).toBeGreaterThan(190);
  network.slow({ bytesPerSecond: 20_000 });
  const text = 'x'.repeat(8_192);
  const since = performance.now();
  client.write(text);
  await hears(`a${text}`);
  expect(performance.now() - since).toBeGreaterThan(300);
  await close();
});

test('a network leads to another server when it is told to', async () => {
  const { network, client, hears, endings, close } = await echoed();
  client.write('a');
  await hears('a');
  const other = createServer((socket) => socket.end('other'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  network.pointTo(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
  await until(() => endings.length > 0, { what: 'the old connection to break' });
  const again = connect(Number(new URL(network.url).port), '127.0.0.1');
  const [said] = await Promise.all([
    new Promise((resolve) => again.once('data', resolve)),
    new Promise((resolve) => again.once('close', resolve)),
  ]);
  expect(String(said)).toBe('other');
  await close();
  await new Promise((resolve) => other.close(resolve));
});
