/**
 * Who is held in which room by which node. Leases are kept in the store, so that a process that comes after a crash finds
 * what the one before it held.
 */
import type { Expired, Presence } from '../log.ts';
import { type Store, top } from './store.ts';

/** Above every node's id. */
const lastNode = '\uffff';

export function embeddedPresence(store: Store, now: () => number): Presence {
  return {
    hold: (workshopId, userIds, node) =>
      store.write(() => {
        // A node that never renewed is a dead one that can be found.
        if (store.leases.get(node) === undefined) void store.leases.put(node, [0, 0]);
        for (const userId of userIds) {
          void store.holds.put([workshopId, userId, node], true);
          void store.holdsOf.put([node, workshopId, userId], true);
        }
      }),
    release: (workshopId, userIds, node) =>
      store.write(() => {
        for (const userId of userIds) drop(store, workshopId, userId, node);
      }),
    renew: (node, ttlMs) =>
      store.write(() => {
        void store.leases.put(node, [now() + ttlMs, ttlMs]);
      }),
    expired: () => store.read(() => expired(store, now())),
    forget: (workshopId, node) =>
      store.write(() => {
        // A node that came back to life holds what it says it holds.
        if (isAlive(store, node, now())) return;
        for (const [, , userId] of heldBy(store, node, workshopId)) drop(store, workshopId, userId, node);
        if (heldBy(store, node).length === 0) void store.leases.remove(node);
      }),
  };
}

/** After the log was away nobody is gone for one lease's time: every lease begins anew. */
export function renewLeases(store: Store, now: number): void {
  for (const { key: node, value } of [...store.leases.getRange()]) {
    const [until, ttlMs] = value;
    if (heldBy(store, node).length === 0) void store.leases.remove(node);
    else void store.leases.put(node, [Math.max(until, now + ttlMs), ttlMs]);
  }
}

export function isHeldElsewhere(
  store: Store,
  workshopId: number,
  userId: number,
  node: string,
  now: number,
): boolean {
  return holders(store, workshopId, userId).some((holder) => holder !== node && isAlive(store, holder, now));
}

export function drop(store: Store, workshopId: number, userId: number, node: string): void {
  void store.holds.remove([workshopId, userId, node]);
  void store.holdsOf.remove([node, workshopId, userId]);
}

export function dropAll(store: Store, workshopId: number, userId: number): void {
  for (const node of holders(store, workshopId, userId)) drop(store, workshopId, userId, node);
}

function expired(store: Store, now: number): Expired[] {
  const found: Expired[] = [];
  for (const node of [...store.leases.getKeys()]) {
    if (isAlive(store, node, now)) continue;
    for (const [, workshopId, userId] of heldBy(store, node)) {
      if (isHeldElsewhere(store, workshopId, userId, node, now)) continue;
      const last = found.at(-1);
      if (last?.node === node && last.workshopId === workshopId) last.userIds.push(userId);
      else found.push({ node, workshopId, userIds: [userId] });
    }
  }
  return found;
}

function isAlive(store: Store, node: string, now: number): boolean {
  const lease = store.leases.get(node);
  return lease !== undefined && lease[0] > now;
}

function holders(store: Store, workshopId: number, userId: number): string[] {
  const start: [number, number, string] = [workshopId, userId, ''];
  const keys = store.holds.getKeys({ start, end: [workshopId, userId, lastNode] });
  return Array.from(keys, ([, , node]) => node);
}

/** What a node holds, in one workshop or in all, by workshop. */
function heldBy(store: Store, node: string, workshopId?: number): [string, number, number][] {
  const start: [string, number, number] = [node, workshopId ?? 0, 0];
  const end: [string, number, number] = [node, workshopId ?? top, top];
  return [...store.holdsOf.getKeys({ start, end, inclusiveEnd: true })];
}
