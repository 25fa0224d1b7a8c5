/** Workshops on a server of an application's own: what they take of it, and what they leave alone. */

import type { ServerOptions } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../kit/until.ts';
import { type Host, type HostSettings, host, liveWorkshop } from './host.ts';

let running: Host | undefined;

async function started(settings?: HostSettings): Promise<Host> {
  running = await host(settings);
  return running;
}

afterEach(async () => {
  await running?.close();
  running = undefined;
});

describe('beside an application', () => {
  it.each([
    ['Redis and Postgres', false],
    ['a folder of its own', true],
  ])('[AT1] serves rooms and REST on %s for users whom the application signs in', async (_, embedded) => {
    const app = await started({ embedded });
    const workshopId = await liveWorkshop(app);
    const [ada, ben] = [await app.guest(2), await app.guest(3)];
    expect(await ada.say('join', { workshopId })).toMatchObject({ ok: true, changed: true, userId: 2 });
    expect(await ben.say('join', { workshopId })).toMatchObject({ ok: true });
    await ada.say('chat', { workshopId, message: 'hello' });
    expect(await ben.hears('chat-message')).toMatchObject({
      userId: 2,
      displayName: 'User 2',
      message: 'hello',
    });
    expect((await app.rest(2, 'GET', `/api/workshops/${workshopId}`)).body).toMatchObject({
      title: 'Sourdough',
    });
  });

  it('[AT1] refuses whom the application does not know, on sockets and by REST', async () => {
    const app = await started();
    const stranger = connect(`${app.url}/workshop`, { forceNew: true, reconnection: false });
    const error = await new Promise<Error>((resolve) => stranger.on('connect_error', resolve));
    expect(error.message).toBe('unauthenticated');
    stranger.disconnect();
    expect((await app.rest(undefined, 'GET', '/api/workshops')).status).toBe(401);
  });

  it('[AT2] does not show the application a cookie that a page of another site sent along', async () => {
    const app = await started();
    const ask = (headers: Record<string, string>) =>
      fetch(`${app.url}/api/workshops`, { headers: { cookie: 'user=2', ...headers } });
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(401);
    expect((await ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(401);
    expect((await ask({ origin: app.url })).status).toBe(200);
    const socket = (origin: string) =>
      connect(`${app.url}/workshop`, {
        ...{ forceNew: true, reconnection: false, transports: ['websocket'] },
        extraHeaders: { cookie: 'user=2', origin },
      });
    const refused = socket('https://evil.example');
    const error = await new Promise<Error>((resolve) => refused.on('connect_error', resolve));
    expect(error.message).toBe('unauthenticated');
    const own = socket(app.url);
    await until(() => own.connected, { what: 'our own page to be connected' });
    own.disconnect();
  });

  it('[AT3] passes over what is not ours, and answers what is below /api/workshops', async () => {
    const app = await started();
    expect((await app.rest(1, 'GET', '/')).body).toBe('the application');
    expect((await app.rest(1, 'POST', '/api/else', { a: 1 })).body).toBe('the application');
    expect((await app.rest(1, 'GET', '/api/workshopsandmore')).body).toBe('the application');
    expect((await app.rest(1, 'GET', '/healthz')).body).toBe('the application');
    expect((await app.rest(1, 'POST', '/api/guest', { displayName: 'Ada' })).body).toBe('the application');
    expect((await app.rest(1, 'GET', '/api/workshops/nothing/here')).status).toBe(404);
    expect((await app.rest(1, 'GET', '/api/admin/status')).status).toBe(403);
    expect((await app.rest(1, 'GET', '/api/workshops?limit=1')).body).toMatchObject({ items: [] });
  });

  it('[AT3] takes a body that a middleware has parsed before, and does not wait for one that is gone', async () => {
    let left: unknown;
    const read = async (request: AsyncIterable<Buffer> & { body?: unknown }) => {
      let text = '';
      for await (const part of request) text += part;
      if (left === 'parsed') request.body = JSON.parse(text);
    };
    const app = await started({
      inFront: false,
      listener: (request, response) =>
        void read(request).then(() => app.workshops.handler(request, response)),
    });
    const plan = { title: 'Sourdough', scheduledAt: new Date().toISOString() };
    left = 'parsed';
    expect((await app.rest(1, 'POST', '/api/workshops', plan)).status).toBe(201);
    left = 'nothing';
    const gone = await app.rest(1, 'POST', '/api/workshops', plan);
    expect(gone.status).toBe(500);
    expect(gone.body.error.message).toContain('read before this handler');
    expect((await app.rest(1, 'GET', '/elsewhere')).status).toBe(404);
  });

  it('[AT4] leaves the other namespaces and the server alone when it closes, and can be attached again', async () => {
    const app = await started();
    const chat = await app.chat();
    const guest = await app.guest(2);
    await app.workshops.close();
    await until(() => !guest.socket.connected, { what: 'the socket of the room to be gone' });
    expect(await chat.emitWithAck('echo', 'still here')).toBe('still here');
    expect((await app.rest(1, 'GET', '/api/workshops')).body).toBe('the application');
    const late = connect(`${app.url}/workshop`, { forceNew: true, reconnection: false, auth: { user: 2 } });
    const error = await new Promise<Error>((resolve) => late.on('connect_error', resolve));
    expect(error.message).toBe('unavailable');
    late.disconnect();
  });

  it('[AT4] a connection that other namespaces share outlives its socket here', async () => {
    const app = await started();
    const chat = await app.chat();
    const workshop = chat.io.socket('/workshop', { auth: { user: 2 } });
    await until(() => workshop.connected, { what: 'the second namespace' });
    workshop.disconnect();
    expect(await chat.emitWithAck('echo', 1)).toBe(1);
    workshop.connect();
    await until(() => workshop.connected, { what: 'the second namespace again' });
    workshop.disconnect();
  });

  it('[AT5] adds no listener for signals and errors to the process, and sets no exit code', async () => {
    // LMDB closes its files in a listener for the exit, which changes nothing about the exit.
    const names = () =>
      process
        .eventNames()
        .filter((name) => name !== 'exit')
        .map((name) => [name, process.listenerCount(name)]);
    const before = [names(), process.exitCode];
    const app = await started({ options: { logger: undefined, logLevel: 'silent' } });
    await liveWorkshop(app);
    expect([names(), process.exitCode]).toEqual(before);
  });

  it('[AT6] registerWorkshopHandlers by hand does what is done anyway, once, and is refused elsewhere', async () => {
    const app = await started();
    app.io.of('/workshop').on('connection', (socket) => {
      app.workshops.registerWorkshopHandlers(app.io.of('/workshop'), socket);
      app.workshops.registerWorkshopHandlers(app.io.of('/workshop'), socket);
    });
    const workshopId = await liveWorkshop(app);
    const guest = await app.guest(2);
    await guest.say('join', { workshopId });
    await guest.say('chat', { workshopId, message: 'once' });
    await guest.say('chat', { workshopId, message: 'last' });
    await guest.hears('chat-message', ({ message }) => message === 'last');
    expect(guest.all('chat-message')).toHaveLength(2);
    await app.chat();
    const [socket] = app.io.of('/chat').sockets.values();
    expect(() => app.workshops.registerWorkshopHandlers(app.io.of('/chat'), socket as never)).toThrow(
      /\/chat is not attached/,
    );
  });
});

describe('with an engine of the application’s choice', () => {
  it.each<[string, Partial<ServerOptions>]>([
    ['compression of WebSockets', { perMessageDeflate: { threshold: 0 } }],
    ['polling alone', { transports: ['polling'] }],
    ['connection state recovery', { connectionStateRecovery: {} }],
  ])('[AT7] the room is told everything in order, with %s', async (_, server) => {
    const app = await started({ server });
    const workshopId = await liveWorkshop(app);
    const [ada, ben] = [await app.guest(2, server.transports), await app.guest(3, server.transports)];
    await ada.say('join', { workshopId });
    await ben.say('join', { workshopId });
    const words = Array.from({ length: 40 }, (_, n) => `${n} ${'long '.repeat(n * 4)}`.trim());
    await Promise.all(words.map((message) => ada.say('chat', { workshopId, message })));
    await until(() => ben.all('chat-message').length === words.length, {
      what: 'all that was said',
    });
    expect(ben.all('chat-message').map(({ message }) => message)).toEqual(words);
  });
});
