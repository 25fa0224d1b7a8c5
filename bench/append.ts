/** Appending through the engine on Redis, beside the bare append script on the same server. */
import { randomUUID } from 'node:crypto';
import { workshopEngine } from '../src/engine/engine.ts';
import type { EventLog } from '../src/log/log.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { startRedis } from '../test/kit/redis.ts';
import { type Figure, throughput } from './measure.ts';
import { message, openRooms, person } from './people.ts';

const rooms = 50;
const members = 20;
const count = 30_000;

export async function append(rounds: number): Promise<Figure[]> {
  const server = await startRedis();
  const log = await redisLog({ address: { url: server.url }, onError: console.error });
  const engine = workshopEngine({ log, node: 'bench' });
  const bare: Figure = { name: 'bare script, one event a call', unit: 'events/s', values: [] };
  const grouped: Figure = { name: 'chat, 512 under way', unit: 'events/s', values: [], beside: bare.name };
  const single: Figure = {
    name: 'chat, one under way in each room',
    unit: 'events/s',
    values: [],
    beside: bare.name,
  };
  try {
    const ids = await openRooms({ log, engine }, { rooms, members, joined: true });
    const say = (n: number) =>
      engine.handle({
        workshopId: ids[n % rooms] ?? 0,
        name: 'chat',
        payload: { message },
        actor: person(2 + (Math.floor(n / rooms) % members)),
      });
    for (let round = 0; round < rounds; round++) {
      bare.values.push(await throughput(count, slots, bareAppends(log, 1_000_000 * (round + 1))));
      grouped.values.push(await throughput(count, 512, say));
      single.values.push(await throughput(count / 3, rooms, say));
    }
  } finally {
    await engine.close();
    await log.close();
    await server.close();
  }
  return [bare, grouped, single];
}

const slots = 256;

/** One event a call, to workshops of its own; a slot's calls follow on one another. */
function bareAppends(log: EventLog, firstWorkshop: number): (n: number) => Promise<void> {
  const versions = new Array<number>(slots).fill(0);
  const free = Array.from({ length: slots }, (_, slot) => slot);
  const data = JSON.stringify({ userId: 1, displayName: 'User 1', avatarUrl: null, message });
  return async () => {
    const slot = free.pop();
    if (slot === undefined) throw new Error('more calls under way than slots');
    const event = { eventId: randomUUID(), type: 'chat-message', schema: 1, data, marks: [] };
    const result = await log.events.append({
      workshopId: firstWorkshop + slot,
      base: versions[slot] ?? 0,
      deadline: log.now() + 10_000,
      node: 'bench',
      commands: [
        {
          by: 1,
          commandId: randomUUID(),
          fingerprint: '',
          remember: false,
          reads: ['room', 'user:1'],
          events: [event],
        },
      ],
    });
    if (result.kind !== 'appended') throw new Error(`the bare append was answered ${result.kind}`);
    versions[slot] = result.to;
    free.push(slot);
  };
}
