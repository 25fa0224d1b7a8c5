/** The share of the partitions that a projector has: what it holds a lease of it follows, and nothing else. */
import type { Lease, Leases } from '../checkpoints/leases.ts';
import type { FollowedPartition } from './partition.ts';

export interface Share {
  readonly followed: ReadonlyMap<number, FollowedPartition>;
  /** Renews the leases, and begins and ends to follow partitions as they say. Rejects where the database is away. */
  beat(): Promise<{ held: ReadonlyMap<number, Lease>; hasChanged: boolean }>;
  /** Follows none any more; their leases stay. */
  leaveAll(): Promise<void>;
}

/** Whoever ends it calls `leaveAll` after the last beat: one that was under way may have followed more meanwhile. */
export function share(
  leases: Pick<Leases, 'beat' | 'release'>,
  follow: (lease: Lease) => FollowedPartition,
  signal: AbortSignal,
): Share {
  const followed = new Map<number, FollowedPartition>();

  async function leave(partitions: readonly number[]): Promise<void> {
    await Promise.all(partitions.map((partition) => followed.get(partition)?.close()));
    for (const partition of partitions) followed.delete(partition);
  }

  function followedThat(holds: (partition: number, each: FollowedPartition) => boolean): number[] {
    return [...followed]
      .filter(([partition, each]) => holds(partition, each))
      .map(([partition]) => partition);
  }

  return {
    followed,
    async beat() {
      await leave(followedThat((_, { hasEnded }) => hasEnded));
      const { held, surplus } = await leases.beat();
      if (signal.aborted) return { held: new Map(), hasChanged: false };
      await leave(followedThat((partition, { fence }) => held.get(partition)?.fence !== fence));
      const released = surplus > 0 ? [...held.keys()].slice(-surplus) : [];
      await leave(released);
      if (released.length > 0) await leases.release(released);
      for (const partition of released) held.delete(partition);
      const taken = [...held.values()].filter(({ partition }) => !followed.has(partition));
      for (const lease of taken) followed.set(lease.partition, follow(lease));
      return { held, hasChanged: released.length + taken.length > 0 };
    },
    leaveAll: () => leave([...followed.keys()]),
  };
}
