/** A log on arrays, as far as projections use one: for faults that a real log does not have at a test's bidding. */

import type { ProjectedLog } from '../../projections/fold/source.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { FeedEntry, TailBatch, TailOptions } from '../../src/log/log.ts';

export interface ArrayLog extends ProjectedLog {
  /** One append: the events follow on the workshop's last version. */
  append(workshopId: number, events: readonly RecordedEvent[]): void;
  /** Cuts the feeds: who has not read them gets a gap. */
  trimFeeds(): void;
  /** Takes the workshop's events after a version away and begins another epoch, as a failover may. */
  lose(workshopId: number, after: number): void;
  /** Takes the stream away, as archiving does. */
  archive(workshopId: number): void;
  /** Puts another event in an event's place. */
  replace(workshopId: number, event: RecordedEvent): void;
  /** Makes an event one that can't be parsed, in the stream and in the feed. */
  breakEntry(workshopId: number, version: number): void;
}

interface Feed {
  /** Sequence of the first entry that is left. */
  first: number;
  entries: FeedEntry[];
  readers: Set<() => void>;
}

export function arrayLog(partitions = 1): ArrayLog {
  const noted = new Map<string, string>();
  const streams = new Map<number, { events: RecordedEvent[]; epoch: string }>();
  const feeds: Feed[] = Array.from({ length: partitions }, () => ({
    first: 1,
    entries: [],
    readers: new Set(),
  }));
  const partitionOf = (workshopId: number) => workshopId % partitions;
  const feedOf = (partition: number): Feed => {
    const feed = feeds[partition];
    if (feed === undefined) throw new Error(`there is no partition ${partition}`);
    return feed;
  };
  const streamOf = (workshopId: number) => {
    const stream = streams.get(workshopId) ?? { events: [], epoch: 'first' };
    streams.set(workshopId, stream);
    return stream;
  };

  const notes: ArrayLog['notes'] = {
    all: async () => new Map(noted),
    async put(changed) {
      for (const [name, text] of changed)
        if (text === null) noted.delete(name);
        else noted.set(name, text);
    },
  };

  const broken = new Set<string>();
  function parsed(workshopId: number, events: RecordedEvent[]): RecordedEvent[] {
    for (const { version } of events)
      if (broken.has(`${workshopId}:${version}`)) throw new SyntaxError('broken by the test');
    return events;
  }

  function tail({ from, onBatch, onError, limit = 512 }: TailOptions) {
    let closed = false;
    const followed = [...from].map(([partition, cursor]) => {
      const feed = feedOf(partition);
      let at = cursor === 'end' ? feed.first + feed.entries.length - 1 : cursor;
      let working: Promise<void> | undefined;
      const next = (): TailBatch | undefined => {
        const end = feed.first + feed.entries.length - 1;
        if (at > end) return { partition, entries: [], cursor: end, gap: true };
        if (at < feed.first - 1) return { partition, entries: [], cursor: feed.first - 1, gap: true };
        const entries = feed.entries.slice(at - feed.first + 1, at - feed.first + 1 + limit);
        return entries.length === 0
          ? undefined
          : { partition, entries, cursor: at + entries.length, gap: false };
      };
      const work = async () => {
        for (let batch = next(); batch !== undefined && !closed; batch = next()) {
          await onBatch(batch);
          at = batch.cursor;
        }
      };
      const wake = () => {
        working ??= work()
          .catch(onError)
          .finally(() => {
            working = undefined;
            if (!closed && next() !== undefined) wake();
          });
      };
      feed.readers.add(wake);
      setImmediate(wake);
      return async () => {
        feed.readers.delete(wake);
        await working;
      };
    });
    return {
      ready: Promise.resolve(),
      async close() {
        closed = true;
        await Promise.all(followed.map((stop) => stop()));
      },
    };
  }

  return {
    partitions,
    partitionOf,
    now: () => Date.now(),
    notes,
    events: {
      async read(id, after, limit) {
        const stream = streams.get(id)?.events ?? [];
        return parsed(id, stream.filter((event) => event.version > after).slice(0, limit));
      },
      head: async (id) => {
        const stream = streams.get(id);
        return stream === undefined
          ? null
          : { version: stream.events.length, epoch: stream.epoch, past: new Map() };
      },
    },
    streams: {
      ids: async (partition) => [...streams.keys()].filter((id) => partitionOf(id) === partition),
      open: async (partition) =>
        new Map(
          [...streams]
            .filter(([id]) => partitionOf(id) === partition)
            .map(([id, { events }]) => [id, events.length]),
        ),
      refill: async () => false,
      remove: async (id) => streams.delete(id),
      async rewrite(id, rewriting) {
        const stream = streams.get(id);
        if (stream === undefined) return 0;
        const before = stream.events;
        stream.events = before.map((event) => ({ ...event, data: rewriting(event) }));
        return stream.events.filter(({ data }, index) => data !== before[index]?.data).length;
      },
    },
    feed: { tail, announce: async () => undefined },
    append(workshopId, events) {
      const stream = streamOf(workshopId);
      const from = stream.events.length + 1;
      for (const event of events) stream.events.push({ ...event, version: stream.events.length + 1 });
      const appended = stream.events.slice(from - 1);
      const { epoch } = stream;
      const feed = feedOf(partitionOf(workshopId));
      const to = from + events.length - 1;
      feed.entries.push({
        workshopId,
        from,
        to,
        epoch,
        events: () => structuredClone(parsed(workshopId, appended)),
      });
      for (const wake of feed.readers) wake();
    },
    trimFeeds() {
      for (const feed of feeds) {
        feed.first += feed.entries.length;
        feed.entries = [];
      }
    },
    lose(workshopId, after) {
      const stream = streamOf(workshopId);
      stream.events = stream.events.slice(0, after);
      stream.epoch += '+';
    },
    archive(workshopId) {
      streams.delete(workshopId);
    },
    breakEntry: (workshopId, version) => void broken.add(`${workshopId}:${version}`),
    replace(workshopId, event) {
      streamOf(workshopId).events[event.version - 1] = event;
      // Also in the feed, whose entries hold what the stream holds.
      const feed = feedOf(partitionOf(workshopId));
      for (const entry of feed.entries) {
        if (entry.workshopId !== workshopId || entry.from > event.version || entry.to < event.version)
          continue;
        const events = entry.events().map((each) => (each.version === event.version ? event : each));
        entry.events = () => structuredClone(events);
      }
    },
  };
}
