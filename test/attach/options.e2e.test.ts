/** What cannot be attached, or not so, is refused in one line, before anything is opened. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { afterEach, expect, it } from 'vitest';
import { attachWorkshops } from '../../src/attach.ts';
import { type AttachOptions, readOptions } from '../../src/attachOptions.ts';
import { host } from './host.ts';

const io = new Server(createServer());
afterEach(() => io.close());

it.each<[string, unknown, RegExp]>([
  ['an unknown option', { colour: 'red' }, /^attachWorkshops: colour: there is no such option$/],
  ['a variable of the environment', { REDIS_URL: 'redis://x' }, /REDIS_URL: .*camelCase/],
  ['a port', { port: 80 }, /port: .*your HTTP server listens/],
  ['an unknown option of the log', { log: { url: 'x' } }, /log\.url: there is no such option: redisUrl/],
  ['a log that is no address', { log: 'nowhere' }, /^redisUrl: /],
  ['a database that is no address', { database: 'mysql://x/y' }, /^databaseUrl: /],
  ['one setting twice', { log: 'redis://a', redisUrl: 'redis://b' }, /redisUrl: is given twice/],
  ['a number out of bounds', { presenceGraceMs: -1 }, /^presenceGraceMs: /],
  [
    'two ways of signing in',
    { authenticate: () => null, authSecret: 'x'.repeat(32) },
    /authSecret: .*not both/,
  ],
  ['authenticate that is no function', { authenticate: true }, /authenticate: must be a function/],
  ['a projector', { role: 'projector', log: 'redis://a', database: 'postgres://a/b' }, /role: a projector/],
  ['a role that needs servers', { role: 'gateway' }, /^role: gateway needs redisUrl and databaseUrl/],
  ['nothing', null, /options must be an object/],
])('[AT9] refuses %s', async (_, options, message) => {
  await expect(attachWorkshops(io, options as AttachOptions)).rejects.toThrow(message);
});

it('[AT9] refuses what is no Socket.IO server, and other majors of it by number', async () => {
  const options: AttachOptions = { authenticate: () => null };
  for (const no of [undefined, {}, createServer()])
    await expect(attachWorkshops(no as never, options)).rejects.toThrow(/Server of Socket\.IO 4/);
  const two = { of: () => undefined, nsps: {} };
  await expect(attachWorkshops(two as never, options)).rejects.toThrow(/this is Socket\.IO 2: upgrade/);
  const three = { of: () => undefined };
  await expect(attachWorkshops(three as never, options)).rejects.toThrow(/this is Socket\.IO 3: upgrade/);
});

it('[AT9] refuses a second attachment, and leaves the first one working', async () => {
  const app = await host();
  try {
    await expect(attachWorkshops(app.io, { authenticate: () => null })).rejects.toThrow(
      /has workshops already/,
    );
    expect((await app.rest(1, 'GET', '/api/workshops')).status).toBe(200);
  } finally {
    await app.close();
  }
});

it('[AT9] options are the configuration in camelCase, lists and numbers as they are', () => {
  const { config } = readOptions({
    ...{
      log: { redisClusterNodes: ['127.0.0.1:7000', '127.0.0.1:7001'] },
      database: 'postgres://127.0.0.1/x',
    },
    ...{ corsOrigins: ['https://a.example'], presenceGraceMs: 5, guests: false, authSecret: 's'.repeat(32) },
  });
  expect(config).toMatchObject({
    REDIS_CLUSTER_NODES: [{ host: '127.0.0.1', port: 7_000 }, { port: 7_001 }],
    DATABASE_URL: 'postgres://127.0.0.1/x',
    ...{ CORS_ORIGINS: ['https://a.example'], PRESENCE_GRACE_MS: 5, embedded: false, guests: false },
  });
});
