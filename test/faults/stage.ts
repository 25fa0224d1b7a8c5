/** What a fault is tried on: a Redis, a database, and nodes as real processes, with networks in between that can break. */
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { redisEvents } from '../kit/history/read.ts';
import { type Network, networkTo } from '../kit/network.ts';
import { type Node, type NodeSettings, startNode } from '../kit/node.ts';
import { type RedisServer, type RedisSettings, startRedis } from '../kit/redis.ts';
import { type Gathering, gathering, type Judgement, type Judging, judge } from '../kit/scene.ts';
import { seeded } from '../kit/seeded.ts';
import { migratedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

export interface StageOptions {
  redis?: RedisSettings;
  /** One for each node: what it has of its own. */
  nodes: readonly NodeSettings[];
  /** For all of them. */
  env?: Record<string, string>;
  /** Where the tables are; a database of the run's shared server if left out. */
  databaseUrl?: string;
}

/** Each node reaches Redis, and people reach each node, through a network of its own. */
export interface StagedNode extends Node {
  /** Between people and the node. */
  people: Network;
  /** Between the node and Redis. */
  store: Network;
}

export interface Stage {
  redis: RedisServer;
  /** Straight to Redis, for looking and for doing harm. */
  client: Redis;
  databaseUrl: string;
  nodes: StagedNode[];
  /** A live workshop with that many people in it, spread over the nodes; the title is printed with its seed. */
  gather(title: string, size: number, options?: GatherOptions): Promise<Gathering>;
  /** The number of events in the log, as it lies there. */
  length(gathering: Gathering): Promise<number>;
  /** Waits until so many more are there. */
  grows(gathering: Gathering, by: number): Promise<void>;
  /** Waits until all is settled, and holds the run against every invariant. */
  verdict(gatherings: readonly Gathering[], options?: Partial<Judging>): Promise<Judgement>;
  /** The same, and nothing may be wrong. */
  allIsWell(gatherings: readonly Gathering[], options?: Partial<Judging>): Promise<Judgement>;
  close(): Promise<void>;
}

type GatherOptions = Partial<Omit<Parameters<typeof gathering>[0], 'chance' | 'nodes' | 'size'>>;

export async function stage({ redis: settings, nodes: wanted, env, ...where }: StageOptions): Promise<Stage> {
  const [redis, databaseUrl] = await Promise.all([
    startRedis(settings),
    where.databaseUrl ?? migratedPostgres(),
  ]);
  const client = redis.client();
  const opened: { close(): Promise<void> }[] = [redis];
  const gatherings = new Set<Gathering>();

  async function staged(own: NodeSettings): Promise<StagedNode> {
    const store = await networkTo(redis.url);
    opened.unshift(store);
    const shared = { REDIS_URL: store.url, DATABASE_URL: databaseUrl };
    const node = await startNode({ ...own, env: { ...shared, ...env, ...own.env } });
    opened.unshift(node);
    const people = await networkTo(node.url);
    opened.unshift(people);
    // Getters stay getters: a node that is started again has another pid.
    return Object.defineProperties(node as StagedNode, {
      people: { value: people },
      store: { value: store },
    });
  }

  async function close(): Promise<void> {
    for (const each of gatherings) each.close();
    for (const each of opened.splice(0)) await each.close();
  }

  const nodes = await Promise.all(wanted.map(staged)).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const verdict: Stage['verdict'] = (judged, options) =>
    judge({ gatherings: judged, log: () => redisEvents(client), databaseUrl, ...options });

  async function length({ workshopId }: Gathering): Promise<number> {
    const [key] = await client.keys(`*:${workshopId}:events`);
    return key === undefined ? 0 : client.xlen(key);
  }

  return {
    length,
    async grows(gathering, by) {
      const before = await length(gathering);
      await until(async () => (await length(gathering)) >= before + by, {
        what: `${by} events more`,
        timeout: 15_000,
      });
    },
    ...{ redis, client, databaseUrl, nodes, verdict, close },
    async gather(title, size, options = {}) {
      const through = nodes.map(({ people }) => people.url);
      const addresses = { nodes: nodes.map(({ url }) => url), through };
      const made = await gathering({ ...addresses, chance: seeded(title), size, ...options });
      gatherings.add(made);
      return made;
    },
    async allIsWell(judged, options) {
      const judgement = await verdict(judged, options);
      expect(judgement.violations).toEqual([]);
      for (const each of judged) each.close();
      return judgement;
    },
  };
}
