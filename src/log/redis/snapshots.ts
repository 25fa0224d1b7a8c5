/** Folded rooms in Redis: a hash beside each stream. */
import { type Snapshots, snapshotMemoryMs } from '../log.ts';
import type { Store } from './store.ts';

export function redisSnapshots({ redis, of }: Store): Snapshots {
  return {
    async keep(workshopId, { version, epoch, room }) {
      const workshop = of(workshopId).workshop(workshopId);
      await redis.wsSnapshot(
        ...[workshop.events, workshop.meta, workshop.room, version, epoch, room, snapshotMemoryMs],
      );
    },
    async read(workshopId) {
      // Over the connection of `head`: asked for together, they are answered in the order of asking.
      const kept = await redis.hmget(of(workshopId).workshop(workshopId).room, ...fields);
      const [version, epoch, eventId, room] = kept;
      if (version == null || epoch == null || eventId == null || room == null) return null;
      return { version: Number(version), epoch, eventId, room };
    },
  };
}

const fields = ['version', 'epoch', 'event', 'room'];
