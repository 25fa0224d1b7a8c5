/** Many rooms with a history, each asked for in turn: what a node keeps of them, and what it has to read again. */
import { randomUUID } from 'node:crypto';
import { workshopEngine } from '../src/engine/engine.ts';
import type { Draft, EventLog } from '../src/log/log.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { startRedis } from '../test/kit/redis.ts';
import { type Figure, throughput } from './measure.ts';
import { message, person } from './people.ts';

const few = 1_000;
const many = 5_000;
const members = 20;
const events = 300;
const atOnce = 64;
/** About a quarter of what the many weigh. */
const tooLittle = 30_000_000;

export async function rooms(rounds: number): Promise<Figure[]> {
  const server = await startRedis();
  const log = await redisLog({ address: { url: server.url }, onError: console.error });
  const engine = workshopEngine({ log, node: 'bench' });
  const tight = workshopEngine({ log, node: 'tight', roomBytes: tooLittle });
  const figure = (name: string, beside?: string): Figure => ({
    ...{ name, unit: 'commands/s', values: [] },
    ...(beside !== undefined && { beside }),
  });
  const light = figure(`chat in turn in ${few} rooms of ${events} events`);
  const heavy = figure(`the same in ${many} rooms`, light.name);
  const squeezed = figure(`the same in ${many} rooms, of which a quarter fits`, light.name);
  try {
    const ids = await filled(log);
    const say = (on: typeof engine, room: number) => (n: number) =>
      on.handle({
        ...{ workshopId: ids[n % room] ?? 0, name: 'chat', payload: { message } },
        actor: person(2 + (n % members)),
      });
    // Each is read for the first time here.
    for (const on of [engine, tight]) await throughput(many, atOnce, say(on, many));
    for (let round = 0; round < rounds; round++) {
      light.values.push(await throughput(2 * many, atOnce, say(engine, few)));
      heavy.values.push(await throughput(2 * many, atOnce, say(engine, many)));
      squeezed.values.push(await throughput(2 * many, atOnce, say(tight, many)));
    }
  } finally {
    await engine.close();
    await tight.close();
    await log.close();
    await server.close();
  }
  return [light, heavy, squeezed];
}

/** Live rooms with their members present and some chat. */
async function filled(log: EventLog): Promise<number[]> {
  const ids: number[] = [];
  await throughput(many, atOnce, async () => {
    const { workshopId } = await log.ids.allocate();
    ids.push(workshopId);
    await log.events.append({
      ...{ workshopId, base: 0, deadline: log.now() + 10_000, node: 'bench' },
      commands: [
        {
          ...{ by: 1, commandId: randomUUID(), fingerprint: '', remember: false, reads: [] },
          events: history(),
        },
      ],
    });
  });
  return ids;
}

function history(): Draft[] {
  const drafts: Draft[] = [];
  const add = (type: string, data: object) =>
    drafts.push({ eventId: randomUUID(), type, schema: 1, data: JSON.stringify(data), marks: [] });
  const scheduledAt = new Date().toISOString();
  add('workshop-scheduled', {
    ...{ hostId: 1, title: 'Bench', description: null, scheduledAt },
    ...{ durationMinutes: null, visibility: 'public', capacity: null },
  });
  add('state-changed', { status: 'live', startedAt: scheduledAt });
  for (let n = 0; n < members; n++) {
    const { userId, displayName, avatarUrl } = person(2 + n);
    add('user-rsvped', { userId, displayName, avatarUrl });
    add('user-joined', { userId, displayName, avatarUrl, isHost: false, isCoHost: false, canSpeak: false });
  }
  for (let n = 0; drafts.length < events; n++) {
    const { userId, displayName, avatarUrl } = person(2 + (n % members));
    add('chat-message', { userId, displayName, avatarUrl, message });
  }
  return drafts;
}
