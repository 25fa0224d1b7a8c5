/**
 * The event log on Redis Streams. One script appends, at Redis' own time; readers follow the feeds of the partitions.
 *
 * Durable as Redis is set up to be: with `appendfsync always` an acknowledged append survives a killed process and a power
 * cut, with `everysec` up to about two seconds of them may be lost. Also right on Redis Cluster: all keys of a call share a
 * slot.
 */
import { z } from 'zod';
import type { EventLog, Feed, Timers, WorkshopIds } from '../log.ts';
import { redisCommands, redisEvents } from './events.ts';
import { feedReader } from './feedReader.ts';
import { redisIdentity } from './identity.ts';
import { globalKeys } from './keys.ts';
import { redisLooks } from './looks.ts';
import { redisNotes } from './notes.ts';
import { redisPresence } from './presence.ts';
import { redisSnapshots } from './snapshots.ts';
import { openStore, type Store, type StoreOptions } from './store.ts';
import { redisStreams } from './streams.ts';
import { redisTail } from './tail.ts';

export interface RedisLogOptions extends StoreOptions {
  /** Appends that a partition's feed keeps, roughly; readers that fall further behind read the streams themselves. */
  feedLength?: number;
  /**
   * The highest workshop id that is known elsewhere; asked for where Redis may have lost ids that it gave out. Rejects while
   * that cannot be told.
   */
  highestId?(): Promise<number>;
}

export async function redisLog(options: RedisLogOptions): Promise<EventLog> {
  const { feedLength = 10_000, highestId = async () => 0 } = options;
  const store = await openStore(options);
  return {
    kind: 'redis',
    partitions: store.partitions,
    partitionOf: store.partitionOf,
    now: store.now,
    events: redisEvents(store, feedLength),
    commands: redisCommands(store),
    feed: redisFeed(store),
    streams: redisStreams(store),
    snapshots: redisSnapshots(store),
    presence: redisPresence(store),
    timers: redisTimers(store),
    ids: redisIds(store, highestId),
    identity: redisIdentity(store),
    notes: redisNotes(store),
    async ping() {
      // A write: a replica, a full disk and a full memory all refuse it.
      await store.redis.set(globalKeys.ping, '1', 'PX', 10_000);
    },
    async close() {
      store.close();
    },
  };
}

function redisFeed({ redis, reads, doorbell, own, keysOf, of, partitionOf }: Store): Feed {
  const feeds = feedReader(reads);
  const looks = redisLooks(reads);
  return {
    tail: (options) => redisTail({ reads, feeds, doorbell, looks, own, keys: keysOf }, options),
    async announce(workshopId) {
      const keys = of(workshopId);
      const { meta } = keys.workshop(workshopId);
      await redis.wsAnnounce(
        ...[keys.feed, keys.partition, meta],
        ...[workshopId, globalKeys.doorbell, partitionOf(workshopId)],
      );
    },
  };
}

function redisTimers({ redis, all, of, now }: Store): Timers {
  return {
    async claim(limit, forMs) {
      // Redis' own clock decides; this node's may be a little behind it.
      const soon = now() + 1_000;
      const first = await Promise.all(
        all.map((keys) => redis.zrangebyscore(keys.timers, '-inf', soon, 'LIMIT', 0, 1)),
      );
      const claimed: number[] = [];
      // Nodes that look at the same moment begin in different places.
      for (const keys of shuffled(all.filter((_, partition) => first[partition]?.length))) {
        if (claimed.length >= limit) break;
        const ids = claimReply.parse(await redis.wsClaim(keys.timers, limit - claimed.length, forMs));
        claimed.push(...ids.map(Number));
      }
      return claimed;
    },
    async set(workshopId, at, version) {
      const keys = of(workshopId);
      await redis.wsTimer(keys.workshop(workshopId).meta, keys.timers, workshopId, at ?? '', version);
    },
  };
}

const claimReply = z.array(z.string());

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((each) => ({ each, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ each }) => each);
}

/** How long a creation's key stands for its workshop. */
const requestMemoryMs = 24 * 60 * 60_000;
const allocateReply = z.union([z.tuple([z.string(), z.string()]), z.tuple([])]);

function redisIds({ redis }: Store, highestId: () => Promise<number>): WorkshopIds {
  const ids = [globalKeys.nextId, globalKeys.idsRun];

  async function raise(above: number): Promise<void> {
    await redis.wsRaise(...ids, above);
  }

  return {
    raise,
    async allocate(request) {
      const asked = request ? globalKeys.asked(request.userId, request.key) : globalKeys.ping;
      const fingerprint = request?.fingerprint ?? '';
      const memory = request ? requestMemoryMs : 0;
      for (;;) {
        const reply = await redis.wsAllocate(...ids, asked, fingerprint, memory);
        const [id, first = ''] = allocateReply.parse(reply);
        if (id !== undefined) return { workshopId: Number(id), fingerprint: first };
        await raise(await highestId());
      }
    },
  };
}
