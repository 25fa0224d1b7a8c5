/** A log that lost the last events of a room and has got as many others since: versions and epoch are those that there were. */
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { liveWorkshop, ok, send, user } from '../engine/nodes.ts';
import { type Gateway, gateway } from '../kit/gateway.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

let log: EventLog;
let here: Gateway;
let client: Redis;

beforeEach(async () => {
  const url = await sharedRedis();
  log = await redisLog({ address: { url }, onError: () => undefined });
  here = await gateway({ log });
  client = redisClient(url);
});
afterEach(async () => {
  client.disconnect();
  await here.close();
  await log.close();
});

/** Everything as it is now. What comes then is put back in one step, with what `more` adds to it. */
async function backup() {
  const keys = await client.keys('*');
  const dump = await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
  return async (more: (restoring: ReturnType<Redis['multi']>) => void) => {
    const restoring = client.multi().flushdb();
    for (const [key, value] of dump) restoring.restore(key, 0, value);
    more(restoring);
    await restoring.exec();
  };
}

it('[D10] the room gets the state that the log has, under a new epoch, and goes on', async () => {
  const workshopId = await liveWorkshop(here);
  await ok(send(here, workshopId, user(2), 'rsvp', {}));
  const two = await here.connect(2);
  await two.say('join', { workshopId });
  await two.say('chat', { workshopId, message: 'kept' });
  await two.hears('chat-message');
  const restore = await backup();
  await two.say('chat', { workshopId, message: 'lost' });
  const { version } = await two.hears('chat-message', ({ message }) => message === 'lost');
  const { epoch } = await two.state();

  const [events = ''] = await client.keys(`ws:*:${workshopId}:events`);
  const said = { userId: 2, displayName: 'User 2', avatarUrl: null, message: 'instead' };
  await restore((restoring) => {
    // As a node would that this one hears nothing of.
    restoring.xadd(
      ...([events, `${version}-0`, 'event', 'another', 'type', 'chat-message', 'schema', '1'] as const),
      ...['at', String(log.now()), 'by', '2', 'command', 'another', 'data', JSON.stringify(said)],
    );
    restoring.hset(events.replace(/events$/, 'meta'), 'version', version);
  });

  const state = await until(() => two.all('state')[1], { what: 'the state that the log has' });
  expect(state.chat.map(({ message }: { message: string }) => message)).toEqual(['kept', 'instead']);
  expect(state).toMatchObject({ version });
  expect(state.epoch).not.toBe(epoch);
  expect(await two.say('chat', { workshopId, message: 'and on' })).toMatchObject({
    ok: true,
    version: version + 1,
  });
  const late = await here.connect(2);
  expect(await late.say('join', { workshopId, after: { version, epoch } })).toMatchObject({ resumed: false });
});
