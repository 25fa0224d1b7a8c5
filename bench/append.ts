/** Appending through the engine on Redis, beside the bare append script on the same server. */
import { randomUUID } from 'node:crypto';
import { workshopEngine } from '../src/engine/engine.ts';
import type { EventLog } from '../src/log/log.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { startRedis } from '../test/kit/redis.ts';
import { type Figure, throughput } from './measure.ts';

const rooms = 50;
const atOnce = 512;
const count = 40_000;
const message = 'A message of about the length that people write in a chat, give or take a few words.';

export async function append(rounds: number): Promise<Figure[]> {
  const server = await startRedis();
  const log = await redisLog({ address: { url: server.url }, onError: console.error });
  const engine = workshopEngine({ log, node: 'bench' });
  const bare: Figure = { name: 'bare script, one event a call', unit: 'events/s', values: [] };
  const through: Figure = { name: 'chat through the engine', unit: 'events/s', values: [], beside: bare.name };
  const alone: Figure = { name: 'chat, one under way a room', unit: 'events/s', values: [], beside: bare.name };
  try {
    const people = await prepare(log, engine);
    for (let round = 0; round < rounds; round++) {
      const fresh = 1_000_000 * (round + 1);
      const versions = new Array<number>(256).fill(0);
      bare.values.push(await throughput(count, 256, (n) => bareAppend(log, fresh + (n % 256), versions, n % 256)));
      const say = (n: number) => {
        const { workshopId, actor } = people[n % people.length] ?? raise();
        return engine.handle({ workshopId, name: 'chat', payload: { message }, actor });
      };
      through.values.push(await throughput(count, atOnce, say));
      alone.values.push(await throughput(count / 4, rooms, say));
    }
  } finally {
    await engine.close();
    await log.close();
    await server.close();
  }
  return [bare, through, alone];
}

/** `versions` is only right because a slot's calls follow on one another: 256 under way over 256 workshops. */
async function bareAppend(log: EventLog, workshopId: number, versions: number[], slot: number): Promise<void> {
  const result = await log.append({
    workshopId,
    base: versions[slot] ?? 0,
    deadline: log.now() + 10_000,
    node: 'bench',
    commands: [
      {
        by: 1,
        commandId: randomUUID(),
        fingerprint: '',
        remember: false,
        reads: ['room'],
        events: [
          { eventId: randomUUID(), type: 'chat-message', schema: 1, data: JSON.stringify({ userId: 1, displayName: 'Bench', avatarUrl: null, message }), marks: [] },
        ],
      },
    ],
  });
  if (result.kind === 'appended') versions[slot] = result.to;
  else if (result.kind === 'conflict') versions[slot] = result.version;
}

async function prepare(log: EventLog, engine: ReturnType<typeof workshopEngine>) {
  const people = [];
  for (let room = 0; room < rooms; room++) {
    const { workshopId } = await log.allocate();
    const host = person(1);
    const schedule = { title: 'Bench', scheduledAt: new Date().toISOString(), visibility: 'public' };
    await engine.handle({ workshopId, name: 'schedule-workshop', payload: schedule, actor: host });
    await engine.handle({ workshopId, name: 'start', payload: {}, actor: host });
    for (let n = 2; n < 22; n++) {
      const actor = person(n);
      await engine.handle({ workshopId, name: 'rsvp', payload: {}, actor });
      await engine.handle({ workshopId, name: 'join', payload: {}, actor });
      people.push({ workshopId, actor });
    }
  }
  // Neighbours in the list are in different rooms, as arrivals are.
  return people.sort((a, b) => a.actor.userId - b.actor.userId);
}

function person(userId: number) {
  return { kind: 'user' as const, userId, displayName: `User ${userId}`, avatarUrl: null, roles: [] };
}

function raise(): never {
  throw new Error('no people were prepared');
}
