/**
 * Writing events anew. An entry of a stream cannot be changed: the stream is copied aside, with what is to be changed, and takes
 * the old one's place in one step, unless something was appended meanwhile. Then that is copied too, and the step tried again.
 */
import { randomUUID } from 'node:crypto';
import type { Rewriting } from '../log.ts';
import { asideMs } from './aside.ts';
import { recordedEvent, type StreamEntry } from './decode.ts';
import type { PartitionKeys } from './keys.ts';
import type { Connection, ScriptedConnection } from './scripts.ts';

/** Entries that are read and copied at once. */
const page = 500;
/** How often the step is tried: each time little is left to copy, so that it comes in between two appends soon. */
const tries = 100;
/** Where `append.lua` puts an event's data. */
const dataField = 13;

export interface Rewrite {
  redis: ScriptedConnection;
  reads: Connection;
  keys: PartitionKeys;
  workshopId: number;
  /** The new one. */
  epoch: string;
}

export async function rewriteStream(
  { redis, reads, keys, workshopId, epoch }: Rewrite,
  rewriting: Rewriting,
): Promise<number> {
  const workshop = keys.workshop(workshopId);
  const aside = workshop.aside(randomUUID());

  /** The entries after a version, page by page. */
  async function* entriesAfter(version: number): AsyncGenerator<StreamEntry[]> {
    for (let after = version; ; ) {
      const entries = (await reads.xrange(
        workshop.events,
        `${after + 1}-0`,
        '+',
        'COUNT',
        page,
      )) as StreamEntry[];
      const last = entries.at(-1);
      if (last === undefined) return;
      yield entries;
      if (entries.length < page) return;
      after = versionOf(last);
    }
  }

  async function isConcerned(): Promise<boolean> {
    for await (const entries of entriesAfter(0))
      if (entries.some((entry) => rewritten(entry, rewriting) !== undefined)) return true;
    return false;
  }

  if (!(await isConcerned())) return 0;
  const before = await redis.hget(workshop.meta, 'epoch');
  let version = 0;
  let changed = 0;
  try {
    for (let attempt = 1; attempt <= tries; attempt++) {
      for await (const entries of entriesAfter(version)) {
        const writing = redis.pipeline();
        for (const entry of entries) {
          const data = rewritten(entry, rewriting);
          if (data !== undefined) changed++;
          writing.xadd(aside, entry[0], ...(data === undefined ? entry[1] : entry[1].with(dataField, data)));
          version = versionOf(entry);
        }
        writing.pexpire(aside, asideMs);
        for (const [error] of (await writing.exec()) ?? []) if (error !== null) throw error;
      }
      const answer = await redis.wsRewrite(
        ...[workshop.events, workshop.meta, aside, keys.feed, keys.partition],
        ...[workshopId, version, before ?? '', epoch, keys.doorbell],
      );
      if (answer === 'done') return changed;
      if (answer !== 'behind') break;
    }
    throw new Error(`workshop ${workshopId} changed too much while it was written anew: try again`);
  } finally {
    await redis.del(aside).catch(() => undefined);
  }
}

const versionOf = ([id]: StreamEntry): number => Number.parseInt(id, 10);

/** The entry's data as it is to be; undefined where it stays. */
function rewritten(entry: StreamEntry, rewriting: Rewriting): string | undefined {
  const event = parsed(entry);
  if (event === undefined) return undefined;
  const data = rewriting(event);
  return data === event.data ? undefined : JSON.stringify(data);
}

function parsed(entry: StreamEntry) {
  try {
    return recordedEvent(entry);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
