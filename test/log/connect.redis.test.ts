/** What one is told where Redis can't be reached, and by which ways it can. */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { RedisAddress } from '../../src/log/redis/address.ts';
import { connect } from '../../src/log/redis/connect.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { selfSigned } from '../kit/certificate.ts';
import { closingAfterEach } from '../kit/closing.ts';
import { startCluster } from '../kit/cluster.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { freePort } from '../kit/ports.ts';
import { startRedis } from '../kit/redis.ts';
import { as, chat, send } from './drafts.ts';

const closing = closingAfterEach();

async function reason(address: RedisAddress): Promise<string> {
  const told = await connect(address, 'commands', () => undefined).then(
    (connection) => {
      connection.disconnect();
      return 'it was reached';
    },
    (error: Error) => error.message,
  );
  return told;
}

test('[F32] what is wrong with a connection is told, and not only that it is closed', async () => {
  const redis = closing(await startRedis({ extra: { requirepass: 'right' } }));
  const secured = closing(await startRedis({ tls: closing(selfSigned()) }));
  const nobody = await freePort();
  expect(await reason({ url: `redis://:wrong@127.0.0.1:${redis.port}` })).toMatch(/WRONGPASS/);
  expect(await reason({ url: redis.url })).toMatch(/NOAUTH/);
  expect(await reason({ url: `redis://127.0.0.1:${nobody}` })).toMatch(/ECONNREFUSED/);
  expect(await reason({ url: 'redis://nowhere.invalid:6379' })).toMatch(/ENOTFOUND|EAI_AGAIN/);
  expect(await reason({ url: secured.url })).toMatch(/self-signed certificate/);
});

test('[F32] a cluster that asks for another password says so', async () => {
  const cluster = closing(await startCluster({ password: 'right' }));
  const clusterNodes = cluster.masters.map(({ port }) => ({ host: '127.0.0.1', port }));
  expect(await reason({ clusterNodes, password: 'wrong' })).toMatch(/WRONGPASS/);
  expect(await reason({ clusterNodes })).toMatch(/NOAUTH/);
  const log = closing(
    await redisLog({ address: { clusterNodes, password: 'right' }, onError: () => undefined }),
  );
  for (const workshopId of [1, 23, 45, 60]) as('appended', await send(log, { workshopId }, chat(7)));
});

test('[F32] a Redis that is too old is named', async () => {
  // One of ours says that it is: there is no older one to be had beside it.
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (asked) => {
      const info = '# Server\r\nredis_version:6.2.14\r\nloading:0\r\n';
      const commands = String(asked)
        .split(/\*\d+\r\n/)
        .slice(1);
      for (const command of commands)
        socket.write(/\binfo\b/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n');
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  closing({ close: () => void server.close() });
  expect(await reason({ url: `redis://127.0.0.1:${port}` })).toBe(
    'Redis 6.2.14 is too old: workshops need Redis 7 or newer, or Valkey',
  );
});

test('[F32] Redis is reached by a socket of this machine, in any of its databases', async () => {
  const folder = closing(temporaryFolder('socket'));
  const path = `${folder.path}/redis.sock`;
  const redis = closing(await startRedis({ extra: { unixsocket: path } }));
  const log = closing(await redisLog({ address: { url: `unix://${path}?db=3` }, onError: () => undefined }));
  as('appended', await send(log, { workshopId: 7 }, chat(7)));
  const client = redis.client({ db: 3 });
  expect(await client.keys('*:7:events')).toHaveLength(1);
});
