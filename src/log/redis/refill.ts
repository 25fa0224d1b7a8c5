/**
 * Putting a workshop back whose stream is gone. Its events are written aside, page by page, and take their place in one step:
 * nobody sees a part of them, and of several nodes that do it at once one is in time.
 */
import { randomUUID } from 'node:crypto';
import type { RecordedEvent } from '../../domain/evolve.ts';
import { commandMemoryMs, EventMissing } from '../log.ts';
import { asideMs } from './aside.ts';
import type { PartitionKeys } from './keys.ts';
import type { ScriptedConnection } from './scripts.ts';

export interface Refill {
  redis: ScriptedConnection;
  keys: PartitionKeys;
  workshopId: number;
  /** By Redis' clock. */
  now: number;
  epoch: string;
}

export async function refillStream(
  { redis, keys, workshopId, now, epoch }: Refill,
  pages: AsyncIterable<readonly RecordedEvent[]>,
): Promise<boolean> {
  const workshop = keys.workshop(workshopId);
  const aside = workshop.aside(randomUUID());
  const anew = (await redis.hget(workshop.meta, 'anew')) ?? '0';
  const remembered: string[] = [];
  let last: RecordedEvent | undefined;
  for await (const page of pages) {
    const writing = redis.pipeline();
    for (const event of page) {
      const next = (last?.version ?? 0) + 1;
      if (event.version !== next) throw new EventMissing(workshopId, next);
      writing.xadd(aside, `${event.version}-0`, ...fieldsOf(event));
      // The ids that a client may still send again; what else was sent under them is not known any more.
      if (event.at > now - 2 * commandMemoryMs)
        remembered.push(`${event.by}:${event.commandId}`, `${event.version}:`);
      last = event;
    }
    writing.pexpire(aside, asideMs);
    for (const [error] of (await writing.exec()) ?? []) if (error !== null) throw error;
  }
  if (last === undefined) return false;
  const done = await redis.wsRefill(
    ...[workshop.events, workshop.meta, ...workshop.done, aside, keys.timers, keys.open],
    ...[workshopId, last.version, last.at, epoch, commandMemoryMs, anew, ...remembered],
  );
  return done === 1;
}

/** In the order of `append.lua`, which readers rely on. */
function fieldsOf({ eventId, type, schema, at, by, commandId, data }: RecordedEvent): (string | number)[] {
  return [
    ...['event', eventId, 'type', type, 'schema', schema, 'at', at, 'by', by],
    ...['command', commandId, 'data', JSON.stringify(data)],
  ];
}
