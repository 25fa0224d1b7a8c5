/**
 * Rewriting events. An entry of a stream cannot be changed: the stream is copied to a staging stream, with what is to be changed,
 * which takes its place in one step, unless something was appended meanwhile. Then that is copied too, and the step tried again.
 */
import type { Rewriting } from '../log.ts';
import { placeOf, recordedEvent, type StreamEntry } from './decode.ts';
import { globalKeys } from './keys.ts';
import { stagingStream } from './staging.ts';
import { newEpoch, type Store } from './store.ts';

/** Entries that are read and copied at once. */
const page = 500;
/** How often the step is tried: each time little is left to copy, so that it comes in between two appends soon. */
const tries = 100;

export async function rewriteStream(
  { redis, reads, of, partitionOf }: Store,
  workshopId: number,
  rewriting: Rewriting,
): Promise<number> {
  const keys = of(workshopId);
  const workshop = keys.workshop(workshopId);

  /** The entries after a version, page by page. */
  async function* entriesAfter(version: number): AsyncGenerator<StreamEntry[]> {
    for (let after = version; ; ) {
      const found = await reads.xrange(workshop.events, `${after + 1}-0`, '+', 'COUNT', page);
      const entries = found as StreamEntry[];
      const last = entries.at(-1);
      if (last === undefined) return;
      yield entries;
      if (entries.length < page) return;
      after = versionOf(last);
    }
  }

  async function isConcerned(): Promise<boolean> {
    for await (const entries of entriesAfter(0))
      if (entries.some((entry) => rewritten(entry, rewriting) !== entry)) return true;
    return false;
  }

  if (!(await isConcerned())) return 0;
  const before = await redis.hget(workshop.meta, 'epoch');
  const staging = stagingStream(redis, keys, workshopId);
  const epoch = newEpoch();
  let version = 0;
  let changed = 0;
  try {
    for (let attempt = 1; attempt <= tries; attempt++) {
      for await (const entries of entriesAfter(version)) {
        const copies = entries.map((entry) => rewritten(entry, rewriting));
        changed += copies.filter((copy, index) => copy !== entries[index]).length;
        await staging.write(copies);
        version = entries.map(versionOf).at(-1) ?? version;
      }
      const answer = await redis.wsRewrite(
        ...[workshop.events, workshop.meta, staging.key, keys.feed, keys.partition, workshop.room],
        ...[workshopId, version, before ?? '', epoch, globalKeys.doorbell, partitionOf(workshopId)],
      );
      if (answer === 'done') return changed;
      if (answer !== 'behind') break;
    }
    throw new Error(`workshop ${workshopId} changed too much while it was written anew: try again`);
  } finally {
    await redis.del(staging.key).catch(() => undefined);
  }
}

const versionOf = ([id]: StreamEntry): number => Number.parseInt(id, 10);

/** The entry as it is to be, whatever else is in it; the very same where it stays, or cannot be parsed. */
function rewritten(entry: StreamEntry, rewriting: Rewriting): StreamEntry {
  const event = parsed(entry);
  if (event === undefined) return entry;
  const data = rewriting(event);
  if (data === event.data) return entry;
  const [id, fields] = entry;
  return [id, fields.with(placeOf(fields, 'data'), JSON.stringify(data))];
}

function parsed(entry: StreamEntry) {
  try {
    return recordedEvent(entry);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
