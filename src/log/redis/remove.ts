/** Removing a workshop that is kept elsewhere: its stream, its timer, and what nodes held in it. */
import { commandMemoryMs, type Last } from '../log.ts';
import type { PartitionKeys } from './keys.ts';
import type { ScriptedConnection } from './scripts.ts';

export interface Removal {
  redis: ScriptedConnection;
  keys: PartitionKeys;
  workshopId: number;
}

export async function removeStream(
  { redis, keys, workshopId }: Removal,
  { version, epoch, eventId }: Last,
): Promise<boolean> {
  const workshop = keys.workshop(workshopId);
  const removed = await redis.wsRemove(
    ...[workshop.events, workshop.meta, keys.timers, keys.open, workshop.holds, ...workshop.done],
    keys.feed,
    ...[workshopId, version, epoch, eventId, 2 * commandMemoryMs],
  );
  if (removed !== 1) return false;
  // Nobody is held in a workshop that is over, but a node that died may have left its name behind.
  const nodes = await redis.hkeys(keys.nodes);
  await Promise.all(nodes.map((node) => redis.srem(keys.heldBy(node), workshopId)));
  return true;
}
