/**
 * What this process appends itself: the answer of the script says where in the feed it stands, so that the own followers of the
 * feed need not read it from there.
 */
import type { Append, Appended, FeedEntry } from '../log.ts';

/** An append and its number in the feed of its partition. */
export interface OwnAppend {
  sequence: number;
  entry: FeedEntry;
}

/** Told of each append that ended; of what it did, where that is known. */
export type HearOwn = (own: OwnAppend | undefined) => void;

export interface OwnAppends {
  /** An append is about to be sent to that partition. What is returned is told how it ended. */
  begin(partition: number): HearOwn;
  /** How many were begun there, and how many of them ended, since the process is there. */
  begun(partition: number): number;
  ended(partition: number): number;
  /** Answers with what ends it. */
  listen(partition: number, hear: HearOwn): () => void;
}

export function ownAppends(): OwnAppends {
  const begun = new Map<number, number>();
  const ended = new Map<number, number>();
  const listeners = new Map<number, Set<HearOwn>>();
  const more = (counts: Map<number, number>, partition: number) =>
    void counts.set(partition, (counts.get(partition) ?? 0) + 1);
  return {
    begin(partition) {
      more(begun, partition);
      return (own) => {
        more(ended, partition);
        for (const hear of listeners.get(partition) ?? []) hear(own);
      };
    },
    begun: (partition) => begun.get(partition) ?? 0,
    ended: (partition) => ended.get(partition) ?? 0,
    listen(partition, hear) {
      const all = listeners.get(partition) ?? new Set<HearOwn>();
      listeners.set(partition, all.add(hear));
      return () => void all.delete(hear);
    },
  };
}

/** As the feed would have it. */
export function ownEntry(
  { workshopId, commands }: Append,
  { from, to, epoch, at }: Appended & { kind: 'appended' },
): FeedEntry {
  return {
    ...{ workshopId, from, to, epoch },
    events() {
      const drafted = commands.flatMap(({ by, commandId, events }) =>
        events.map(({ eventId, type, schema, data }) => ({ by, commandId, eventId, type, schema, data })),
      );
      return drafted.map(({ data, ...event }, index) => ({
        ...{ version: from + index, at, ...event },
        data: JSON.parse(data),
      }));
    },
  };
}
