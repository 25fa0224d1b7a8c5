/** Streams in Redis as a whole: which there are, and putting back, removing and rewriting them. */
import { commandMemoryMs, type Streams } from '../log.ts';
import { refillStream } from './refill.ts';
import { rewriteStream } from './rewrite.ts';
import type { Store } from './store.ts';

export function redisStreams(store: Store): Streams {
  const { redis, reads, keysOf, of } = store;
  const openIds = async (partition: number) => (await reads.smembers(keysOf(partition).open)).map(Number);
  return {
    ids: openIds,
    async open(partition) {
      const keys = keysOf(partition);
      const ids = await openIds(partition);
      const versions = await Promise.all(ids.map((id) => reads.hget(keys.workshop(id).meta, 'version')));
      return new Map(ids.map((id, index) => [id, Number(versions[index] ?? 0)]));
    },
    refill: (workshopId, pages) => refillStream(store, workshopId, pages),
    rewrite: (workshopId, rewriting) => rewriteStream(store, workshopId, rewriting),
    async remove(workshopId, { version, epoch, eventId }) {
      const keys = of(workshopId);
      const workshop = keys.workshop(workshopId);
      const removed = await redis.wsRemove(
        ...[workshop.events, workshop.meta, keys.timers, keys.open, workshop.holds, ...workshop.done],
        ...[keys.feed, workshop.room],
        ...[workshopId, version, epoch, eventId, 2 * commandMemoryMs],
      );
      if (removed !== 1) return false;
      // Nobody is held in a workshop that is over, but a node that died may have left its name behind.
      const nodes = await redis.hkeys(keys.nodes);
      await Promise.all(nodes.map((node) => redis.srem(keys.heldBy(node), workshopId)));
      return true;
    },
  };
}
