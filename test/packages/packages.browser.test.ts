/** Both packages, from their tarballs, in an application of somebody else's: built and installed once for all of these. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { io as connect, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { host, liveWorkshop } from '../attach/host.ts';
import { launchChromium } from '../hooks/chromium.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { freePort } from '../kit/ports.ts';
import { startProcess } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { type Application, application, root } from './application.ts';
import { type Door, doorOf } from './doors.ts';
import { nextApplication } from './next.ts';

let app: Application;
beforeAll(async () => {
  app = await application();
}, 240_000);
afterAll(() => app?.close());

const bin = (name: string) => join(root, 'node_modules/.bin', name);
const packages = ['workshop-rooms', 'workshop-rooms-client'];
const minute = 60_000;

it.each(packages)(
  '[PK1] %s is found as it says it is, by Node and by bundlers, types and all',
  async (name) => {
    expect(await app.run(bin('publint'), 'run', join(app.out, name), '--strict')).toContain('All good!');
    const [tarball] = readdirSync(app.out).filter((file) => file.startsWith(`${name}-0`));
    await app.run(bin('attw'), '--profile', 'esm-only', join(app.out, tarball ?? ''));
  },
  minute,
);

it('[PK2] holds what runs, and neither tests nor sources', () => {
  const files = packages.flatMap((name) => readdirSync(join(app.out, name), { recursive: true }).map(String));
  expect(
    files.filter((file) => /(^|\/)(test|bench|examples)(\/|$)|(?<!\.d)\.tsx?$|\.map$/.test(file)),
  ).toEqual([]);
  expect(files).toContain('assets/src/log/redis/append.lua');
});

it('[PK10] says what it is made of, and hands on the licences of what is in the page', async () => {
  const inventory = JSON.parse(readFileSync(join(app.out, 'workshop-rooms.cdx.json'), 'utf8'));
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const names = inventory.components.map(({ group, name }: { group?: string; name: string }) =>
    group === undefined ? name : `${group}/${name}`,
  );
  expect(inventory).toMatchObject({ bomFormat: 'CycloneDX' });
  expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  expect(names).not.toContain('vitest');
  // What only the page is made of, is in it already.
  const server = JSON.parse(readFileSync(join(app.out, 'workshop-rooms/package.json'), 'utf8'));
  for (const name of ['react', 'uplot', '@tanstack/react-virtual'])
    expect(server.dependencies).not.toHaveProperty(name);
  const page = join(app.out, 'workshop-rooms/page');
  const listed: { path: string }[] = JSON.parse(readFileSync(join(page, 'files.json'), 'utf8'));
  const place = listed.findIndex(({ path }) => /licences-\w+\.txt$/.test(path));
  const licences = readFileSync(join(page, String(place)), 'utf8');
  for (const name of [
    'react',
    'react-dom',
    'scheduler',
    'socket.io-client',
    'uplot',
    '@tanstack/react-virtual',
  ])
    expect(licences).toMatch(new RegExp(`## ${name} \\d`));
  expect(licences.split('Permission is hereby granted').length).toBeGreaterThan(6);
});

it('[PK3] the client brings socket.io-client alone, and under 15 kB compressed beside it', () => {
  const folder = join(app.out, 'workshop-rooms-client');
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  expect(Object.keys(dependencies)).toEqual(['socket.io-client']);
  expect([peerDependencies, peerDependenciesMeta]).toEqual([
    { react: '^18.0.0 || ^19.0.0' },
    { react: { optional: true } },
  ]);
  const files = readdirSync(join(folder, 'dist')).map((file) => [
    file,
    readFileSync(join(folder, 'dist', file), 'utf8'),
  ]);
  const code = files.filter(([file]) => file?.endsWith('.js')).map(([, text]) => text);
  expect(gzipSync(code.join('\n')).length).toBeLessThan(15_000);
  const imported = files.flatMap(([, text = '']) =>
    [...text.matchAll(/^(?:import|export) .*?from "([^".][^"]*)"/gm)].map(([, name]) => name),
  );
  expect([...new Set(imported)].sort()).toEqual(['react', 'socket.io-client']);
});

it.each([
  ['bundler', 'ESNext'],
  ['nodenext', 'NodeNext'],
])(
  '[PK4] an application compiles against the types, with moduleResolution %s',
  async (moduleResolution, module) => {
    const compilerOptions = {
      ...{
        module,
        moduleResolution,
        target: 'ES2022',
        lib: ['ES2023', 'DOM'],
        jsx: 'react-jsx',
        strict: true,
      },
      ...{ noEmit: true, skipLibCheck: false, types: ['node'] },
    };
    // What others declare is theirs to get right; ours is looked at as a whole.
    const files = ['src/server.ts', 'src/Room.tsx'];
    writeFileSync(
      join(app.path, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true }, files }),
    );
    await app.run(bin('tsc'), '-p', '.');
  },
  minute,
);

it(
  '[PK5] renders on a server, where there is no window',
  async () => {
    expect(await app.run(process.execPath, 'src/rendered.mjs')).toContain('<p>false 0 0</p>');
  },
  minute,
);

it(
  '[PK6] the command line of the package serves, without anything being compiled',
  async () => {
    const folder = await dataFolder('packaged');
    const program = join(app.path, 'node_modules/.bin/workshop');
    const env = {
      DATA_DIR: folder.path,
      PORT: '0',
      NODE_ENV: 'test',
      LOG_LEVEL: 'warn',
      AUTH_SECRET: undefined,
    };
    const server = await startProcess({ command: program, args: ['serve', '--json'], env });
    try {
      const [, url = ''] = await server.waitFor(/"url":"([^"]+)"/, 40_000);
      expect(await (await fetch(url)).text()).toMatch(/assets\/page-\w+\.js/);
      const answer = await fetch(`${url}/api/guest`, {
        ...{ method: 'POST', body: JSON.stringify({ displayName: 'Ada' }) },
        headers: { 'content-type': 'application/json' },
      });
      expect(await answer.json()).toMatchObject({ user: { displayName: 'Ada' } });
    } finally {
      await server.stop();
      await folder.close();
    }
  },
  minute,
);

it.each(['http', 'express', 'fastify'])(
  '[PK7] the example for %s holds a conversation, and ends when it is told to',
  async (name) => {
    const text = readFileSync(join(root, `examples/${name}.mjs`), 'utf8');
    expect(text.split('\n').length).toBeLessThanOrEqual(61);
    const folder = await dataFolder('example');
    const env = {
      DATA_DIR: folder.path,
      PORT: '0',
      REDIS_URL: undefined,
      DATABASE_URL: undefined,
      NODE_ENV: 'test',
    };
    const server = await startProcess({
      command: process.execPath,
      args: [`examples/${name}.mjs`],
      cwd: app.path,
      env,
    });
    try {
      const [, port] = await server.waitFor(/listening on (\d+)/, 40_000);
      await converse(`http://localhost:${port}`);
      server.signal('SIGTERM');
      expect(await server.ended).toEqual({ code: 0, signal: null });
    } finally {
      await server.stop();
      await folder.close();
    }
  },
  minute,
);

/** Through the client as it was installed. */
async function converse(url: string): Promise<void> {
  type Client = typeof import('../../src/client/index.ts');
  const { workshopConnection, followerOf } = await app.load<Client>('workshop-rooms-client');
  const ask = async (token: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) ?? null });
    expect(answer.ok).toBe(true);
    return answer.json();
  };
  expect(await (await fetch(url)).text()).toBe('the application');
  const { id } = await ask('ada-session', '/api/workshops', {
    title: 'Rye',
    scheduledAt: new Date().toISOString(),
  });
  await ask('ben-session', `/api/workshops/${id}/rsvp`);
  await ask('ada-session', `/api/workshops/${id}/start`);
  const [ada, ben] = ['ada-session', 'ben-session'].map((token) => workshopConnection({ url, token }));
  if (ada === undefined || ben === undefined) throw new Error('nobody is there');
  const rooms = [ada, ben].map(({ socket }) => followerOf(socket, id));
  try {
    for (const each of [ada, ben]) each.open();
    expect(await Promise.all(rooms.map((room) => room.join()))).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await rooms[0]?.send('chat', { message: 'hello' })).toMatchObject({ ok: true });
    await until(() => rooms[1]?.snapshot().view?.chat.at(-1)?.message === 'hello', {
      what: 'Ben to hear Ada',
    });
  } finally {
    await Promise.all([ada, ben].map((each) => each.close()));
  }
}

it.each(['19', '18'])(
  '[PK8] an application that Vite builds with React %s holds a conversation in a browser',
  async (major) => {
    const { build } = await import('vite');
    const modules = join(app.path, major === '18' ? 'older' : '.', 'node_modules');
    const { version } = JSON.parse(readFileSync(join(modules, 'react/package.json'), 'utf8'));
    expect(version.split('.')[0]).toBe(major);
    const alias = Object.fromEntries(['react', 'react-dom'].map((name) => [name, join(modules, name)]));
    await build({ ...{ root: app.path, logLevel: 'error', configFile: false }, resolve: { alias } });
    const types: Record<string, string> = { html: 'text/html', js: 'text/javascript' };
    const server = await host({
      listener(request, response) {
        const { pathname } = new URL(request.url ?? '/', 'http://here');
        const file = pathname === '/' ? '/index.html' : pathname;
        response.setHeader('content-type', types[file.split('.').at(-1) ?? ''] ?? 'text/plain');
        response.end(file === '/favicon.ico' ? '' : readFileSync(join(app.path, 'dist', file)));
      },
    });
    let browser: Browser | undefined;
    try {
      const workshopId = await liveWorkshop(server);
      browser = await launchChromium();
      const open = async (user: number) => {
        const page = await (browser as Browser).newPage();
        await page.goto(`${server.url}/?workshop=${workshopId}&token=${user}`);
        await page.getByText(`User ${user}`).waitFor();
        return page;
      };
      const [two, three] = [await open(2), await open(3)];
      await two.getByText('User 2, User 3').waitFor();
      await two.getByRole('button', { name: 'Say hello' }).click();
      await three.getByText('User 2: Hello').waitFor();
    } finally {
      await browser?.close();
      await server.close();
    }
  },
  minute,
);

it('[PK11] a fresh Next application holds a workshop, beside namespaces of its own, and a Python script receives its webhooks', {
  timeout: 5 * minute,
}, async () => {
  const next = await nextApplication(app);
  const browser = await launchChromium();
  const clients: Socket[] = [];
  try {
    const { url } = next;
    const page = async (name: string) => {
      const context = await browser.newContext();
      const opened = await context.newPage();
      await opened.goto(`${url}/sign-in/${name}`);
      return opened;
    };
    const ada = await page('ada');
    await ada.getByRole('heading', { name: 'Hello Ada' }).waitFor();
    const port = await freePort();
    const hook = await fetch(`${url}/api/admin/webhooks`, {
      method: 'POST',
      headers: { cookie: 'session=ada', 'content-type': 'application/json' },
      body: JSON.stringify({ url: `http://127.0.0.1:${port}/hooks` }),
    });
    const made = (await hook.json()) as { secret: string };
    expect(made).toEqual(expect.objectContaining({ secret: expect.stringMatching(/^whsec_/) }));
    const receiver = await next.receive(made.secret, port);
    await ada.getByRole('button', { name: 'Begin a workshop' }).click();
    await ada.waitForURL(`${url}/rooms/1`);
    const ben = await page('ben');
    await ben.goto(`${url}/rooms/1`);
    for (const each of [ada, ben]) await each.getByText('Ada, Ben').waitFor();
    await ben.getByLabel('Message').fill('Hello from Next');
    await ben.getByRole('button', { name: 'Send' }).click();
    await ada.getByText('Ben: Hello from Next').waitFor();
    await receiver.waitFor(
      /workshop\.workshop-scheduled 1 1[\s\S]*workshop\.chat-message 1 \d+ Hello from Next/,
    );

    const own = (name: string) => {
      const socket = connect(url + name, { forceNew: true });
      clients.push(socket);
      return socket;
    };
    expect(await own('/chat').emitWithAck('echo', 'still here')).toBe('still here');
    await new Promise((resolve) => own('/notifications').on('welcome', () => resolve(undefined)));
    for (const each of clients) each.disconnect();
    await browser.close();
    next.server.signal('SIGTERM');
    expect(await next.server.ended).toEqual({ code: 0, signal: null });
  } finally {
    for (const each of clients) each.disconnect();
    await browser.close();
    await next.close();
  }
});

describe('[PK9] the doors of the README', () => {
  /** As a newcomer would: in a folder of the application, with what stands there, on a port of the test's own. */
  async function pasted(door: Door, folder: string, port: number) {
    const cwd = join(app.path, folder);
    mkdirSync(cwd, { recursive: true });
    const text = doorOf(door).replaceAll('3000', String(port));
    const env = { PORT: String(port), NODE_ENV: 'test', REDIS_URL: undefined, DATABASE_URL: undefined };
    return { cwd, text, env: { ...env, AUTH_SECRET: undefined, DATA_DIR: undefined, LOG_LEVEL: 'warn' } };
  }

  it('as a service, and to analyse what happened: both run as they are pasted', {
    timeout: 4 * minute,
  }, async () => {
    const port = await freePort();
    const service = await pasted('Run it as a service', 'service', port);
    const analysis = await pasted('Analyse what happened', 'service', port);
    // The service runs on until the shell is told to end it.
    const shell = await startProcess({
      ...{ command: 'bash', cwd: service.cwd, env: service.env },
      args: [
        '-ec',
        `trap 'kill %1; wait' EXIT\n${service.text}\necho; echo SERVED\n${analysis.text}\necho ANALYSED`,
      ],
    });
    try {
      const [answers] = await shell.waitFor(/\{"id":1[\s\S]*"version":2[\s\S]*SERVED/, 2 * minute);
      expect(answers).toContain('"changed":true');
      const [told] = await shell.waitFor(/SERVED[\s\S]*ANALYSED/, 2 * minute);
      expect(told).toContain('userId,displayName,role,firstJoinedAt');
    } finally {
      await shell.stop();
    }
  });

  it('attached to a server, and from a front end', { timeout: 2 * minute }, async () => {
    const port = await freePort();
    const { cwd, text, env } = await pasted('Attach it to a server that you have', 'attached', port);
    writeFileSync(join(cwd, 'server.mjs'), text);
    const server = await startProcess({ command: process.execPath, args: ['server.mjs'], cwd, env });
    try {
      const url = `http://localhost:${port}`;
      await until(async () => (await fetch(url)).ok, { what: 'the server', timeout: minute });
      const made = await fetch(`${url}/api/workshops`, {
        method: 'POST',
        headers: { authorization: 'Bearer 7', 'content-type': 'application/json' },
        body: JSON.stringify({ title: 'Rye', scheduledAt: new Date().toISOString() }),
      });
      expect(await made.json()).toMatchObject({ id: 1, hostId: 7 });
    } finally {
      await server.stop();
    }
    // The front end's is the room of the application that Vite builds and the compiler reads, above.
    expect(readFileSync(join(app.path, 'src/Room.tsx'), 'utf8')).toBe(doorOf('Use it from your front end'));
  });
});
