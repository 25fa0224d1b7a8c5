/** Who is held in which room by which node, and whose node is dead. See `Presence` in `../log.ts`. */
import type { Expired, Presence } from '../log.ts';
import type { PartitionKeys } from './keys.ts';
import type { ScriptedConnection } from './scripts.ts';

export interface PresenceKeys {
  redis: ScriptedConnection;
  /** Keys of every partition. */
  all: readonly PartitionKeys[];
  of(workshopId: number): PartitionKeys;
  now(): number;
}

export function redisPresence({ redis, all, of, now }: PresenceKeys): Presence {
  async function change(
    kind: 'hold' | 'drop' | 'release' | 'end' | 'forget',
    workshopId: number,
    users: readonly number[],
    node: string,
  ) {
    const keys = of(workshopId);
    const { holds } = keys.workshop(workshopId);
    await redis.wsHold(holds, keys.heldBy(node), keys.nodes, workshopId, node, kind, ...users);
  }

  async function expiredIn(keys: PartitionKeys): Promise<Expired[]> {
    const nodes = Object.entries(await redis.hgetall(keys.nodes));
    const dead = nodes.filter(([, until]) => Number(until) <= now()).map(([node]) => node);
    if (dead.length === 0) return [];
    const alive = new Set(nodes.map(([node]) => node).filter((node) => !dead.includes(node)));
    return (await Promise.all(dead.map((node) => expiredOf(keys, node, alive)))).flat();
  }

  async function expiredOf(
    keys: PartitionKeys,
    node: string,
    alive: ReadonlySet<string>,
  ): Promise<Expired[]> {
    const workshops = await redis.smembers(keys.heldBy(node));
    if (workshops.length === 0) await redis.wsBury(keys.nodes, keys.heldBy(node), node);
    return Promise.all(
      workshops.map(async (id) => {
        const workshopId = Number(id);
        const holds = Object.entries(await redis.hgetall(keys.workshop(workshopId).holds));
        const userIds = holds
          .map(([user, holders]) => ({ user: Number(user), holders: holders.replaceAll('~', '').split(';') }))
          .filter(({ holders }) => holders.includes(node) && !holders.some((holder) => alive.has(holder)))
          .map(({ user }) => user);
        return { node, workshopId, userIds };
      }),
    );
  }

  return {
    hold: (workshopId, userIds, node) => change('hold', workshopId, userIds, node),
    drop: (workshopId, userIds, node) => change('drop', workshopId, userIds, node),
    release: (workshopId, userIds, node) => change('release', workshopId, userIds, node),
    end: (workshopId, node) => change('end', workshopId, [], node),
    forget: (workshopId, node) => change('forget', workshopId, [], node),
    async renew(node, ttlMs) {
      const stood = await Promise.all(all.map((keys) => redis.wsRenew(keys.nodes, node, ttlMs)));
      return stood.every((each) => each === 1);
    },
    async expired() {
      return (await Promise.all(all.map(expiredIn))).flat();
    },
  };
}
