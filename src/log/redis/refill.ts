/**
 * Putting a workshop back whose stream is gone. Its events are written to a staging stream, which takes their place in one step:
 * of several nodes that do it at once one is in time.
 */
import type { RecordedEvent } from '../../domain/evolve.ts';
import { commandMemoryMs, EventMissing } from '../log.ts';
import type { StreamEntry } from './decode.ts';
import { stagingStream } from './staging.ts';
import { newEpoch, type Store } from './store.ts';

export async function refillStream(
  { redis, of, now }: Store,
  workshopId: number,
  pages: AsyncIterable<readonly RecordedEvent[]>,
): Promise<boolean> {
  const keys = of(workshopId);
  const workshop = keys.workshop(workshopId);
  const staging = stagingStream(redis, keys, workshopId);
  const rewritings = (await redis.hget(workshop.meta, 'anew')) ?? '0';
  // The ids that a client may still send again. Where Redis knows them, it knows more than that.
  const remembered = new Map<string, string>();
  const rememberedFrom = now() - 2 * commandMemoryMs;
  let last: RecordedEvent | undefined;
  for await (const page of pages) {
    for (const event of page) {
      const next = (last?.version ?? 0) + 1;
      if (event.version !== next) throw new EventMissing(workshopId, next);
      // Of a command that appended several the last one counts.
      if (event.at > rememberedFrom) remembered.set(`${event.by}:${event.commandId}`, `${event.version}:`);
      last = event;
    }
    await staging.write(page.map(entryOf));
  }
  if (last === undefined) return false;
  const done = await redis.wsRefill(
    ...[workshop.events, workshop.meta, ...workshop.done, staging.key, keys.timers, keys.open, workshop.room],
    ...[
      workshopId,
      last.version,
      last.at,
      newEpoch(),
      commandMemoryMs,
      rewritings,
      ...[...remembered].flat(),
    ],
  );
  return done === 1;
}

/** As `append.lua` writes it, in its order: programs from before the layout had a number read fields by place. */
function entryOf({ version, eventId, type, schema, at, by, commandId, data }: RecordedEvent): StreamEntry {
  const fields = ['event', eventId, 'type', type, 'schema', schema, 'at', at, 'by', by, 'command', commandId];
  return [`${version}-0`, [...fields.map(String), 'data', JSON.stringify(data)]];
}
