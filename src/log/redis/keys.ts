/**
 * Where things lie in Redis. Workshops are spread over a fixed number of partitions; all keys of a partition carry one hash
 * tag and so share a slot of a Redis Cluster, and every script but that for appends touches one partition alone; that one too on a cluster.
 *
 * Small integers as tags spread badly (0…63 leave some masters of a cluster half idle), so the tag of partition i is the
 * first number in base 36 whose slot lies in the i-th of equally long slot ranges.
 */

const slots = 16_384;

/** CRC-16/XMODEM, as Redis Cluster computes slots. */
function crc16(text: string): number {
  let crc = 0;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index) << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

export function partitionTags(partitions: number): string[] {
  const tags = new Array<string | undefined>(partitions).fill(undefined);
  let missing = partitions;
  for (let number = 0; missing > 0; number++) {
    const tag = number.toString(36);
    const partition = Math.floor(((crc16(tag) % slots) * partitions) / slots);
    if (tags[partition] !== undefined) continue;
    tags[partition] = tag;
    missing--;
  }
  return tags.filter((tag) => tag !== undefined);
}

/** Keys that belong to no partition: ids of workshops, settings. */
export const globalKeys = {
  /** Hash: `partitions`, their number, `layout`, the number of all this (`settings.ts`), and `identity` (`identity.ts`). */
  settings: 'ws:{ids}:settings',
  /** Hash: see `notes.ts`. */
  notes: 'ws:{ids}:notes',
  nextId: 'ws:{ids}:next',
  /** The run of Redis in which `nextId` was compared with what is known elsewhere. */
  idsRun: 'ws:{ids}:run',
  ping: 'ws:{ids}:ping',
  /** Channel: rung with `<partition>:<number of its last append>`, one or more with spaces between. */
  doorbell: 'ws:doorbell',
  asked: (userId: number, key: string) => `ws:{ids}:asked:${userId}:${key}`,
};

export function partitionKeys(tag: string) {
  const at = `ws:{${tag}}`;
  return {
    /** Stream of appends `<seq>-0`. */
    feed: `${at}:feed`,
    /** Hash: `seq`, the number of the last append; `first`, that of the very first; `run` of Redis that counts. */
    partition: `${at}:partition`,
    /** Sorted set: workshop → when it wants to be looked at. */
    timers: `${at}:timers`,
    /** Hash: node → until when what it holds counts. */
    nodes: `${at}:nodes`,
    /** Set: workshops that have a stream. */
    open: `${at}:open`,
    /** Set: workshops in which that node holds someone. */
    heldBy: (node: string) => `${at}:held:${node}`,
    workshop: (id: number) => ({
      /** Stream of events `<version>-0`. */
      events: `${at}:${id}:events`,
      /**
       * Hash: version, at, epoch, run (of Redis in which the epoch began), past (epochs, and where each ended), bucket, woken,
       * seq (its last append in the feed),
       * and `m:<mark>` → version of the last event that bore it. Once the stream was removed: version, at, bucket, `removed`, and
       * `anew`, how often it was rewritten where it is kept.
       */
      meta: `${at}:${id}:meta`,
      /** Hashes: `<user>:<commandId>` → `<version>:<fingerprint>`, in turn for ten minutes each. */
      done: [`${at}:${id}:done:0`, `${at}:${id}:done:1`] as const,
      /** Hash: user → nodes that hold connections of theirs, or (with `~`) await one, joined by `;`. */
      holds: `${at}:${id}:holds`,
      /** Hash: `room`, as a node has folded it up to `version` in `epoch`, and the id of that `event`. Nothing depends on it. */
      room: `${at}:${id}:room`,
      /** Stream that is written to take the place of the workshop's, by a name of its own: see `staging.ts`. */
      staging: (name: string) => `${at}:${id}:aside:${name}`,
    }),
  };
}

export type PartitionKeys = ReturnType<typeof partitionKeys>;
