/** What every part of the log in Redis works with: connections, keys and Redis' clock. */
import { randomUUID } from 'node:crypto';
import type { RedisAddress } from './address.ts';
import { redisClock } from './clock.ts';
import { connect } from './connect.ts';
import { type Doorbell, redisDoorbell } from './doorbell.ts';
import { type PartitionKeys, partitionKeys, partitionTags } from './keys.ts';
import { type OwnAppends, ownAppends } from './ownAppends.ts';
import { type Connection, type ScriptedConnection, withScripts } from './scripts.ts';
import { openSettings } from './settings.ts';

export interface StoreOptions {
  address: RedisAddress;
  /** Only for a fresh log: the number is kept there and can't be changed afterwards. */
  partitions?: number;
  onError(error: Error): void;
}

export interface Store {
  /** For commands, which fail fast while Redis is away. */
  readonly redis: ScriptedConnection;
  readonly reads: Connection;
  readonly doorbell: Doorbell;
  readonly partitions: number;
  partitionOf(workshopId: number): number;
  /** What this process appends itself. */
  readonly own: OwnAppends;
  /** Of every partition. */
  readonly all: readonly PartitionKeys[];
  /** Throws where there is no such partition. */
  keysOf(partition: number): PartitionKeys;
  /** The keys of a workshop's partition. */
  of(workshopId: number): PartitionKeys;
  /** Milliseconds since 1970 by Redis' clock. */
  now(): number;
  /** What Redis answers does not fit that clock: it is measured again. */
  doubtClock(): void;
  close(): void;
}

export async function openStore({ address, partitions = 64, onError }: StoreOptions): Promise<Store> {
  const opened: { disconnect(): void }[] = [];
  const open = async (profile: Parameters<typeof connect>[1]) => {
    const connection = await connect(address, profile, onError);
    opened.push(connection);
    return connection;
  };
  const disconnect = () => {
    for (const each of opened) each.disconnect();
  };
  try {
    const redis = withScripts(await open('commands'));
    const settings = await openSettings(redis, { partitions });
    const reads = await open('reads');
    const doorbell = redisDoorbell(await open('doorbell'));
    const clock = await redisClock(redis);
    return {
      ...{ redis, reads, doorbell, own: ownAppends(), now: clock.now, doubtClock: clock.doubt },
      ...partitionsOf(settings.partitions),
      close() {
        clock.close();
        disconnect();
      },
    };
  } catch (error) {
    disconnect();
    throw error;
  }
}

function partitionsOf(
  partitions: number,
): Pick<Store, 'partitions' | 'partitionOf' | 'all' | 'keysOf' | 'of'> {
  const all = partitionTags(partitions).map(partitionKeys);
  const partitionOf = (workshopId: number) => workshopId % partitions;
  const keysOf = (partition: number) => {
    const keys = all[partition];
    if (keys === undefined) throw new RangeError(`there is no partition ${partition} of ${partitions}`);
    return keys;
  };
  return { partitions, partitionOf, all, keysOf, of: (workshopId) => keysOf(partitionOf(workshopId)) };
}

/** Opaque to everyone. */
export function newEpoch(): string {
  return randomUUID().slice(0, 8);
}
