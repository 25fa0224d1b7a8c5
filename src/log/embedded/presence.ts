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
    drop: (workshopId, userIds, node) =>
      store.write(() => {
        for (const userId of userIds)
          if (store.holds.get([workshopId, userId, node]) !== undefined)
            void store.holds.put([workshopId, userId, node], false);
      }),
    release: (workshopId, userIds, node) =>
      store.write(() => {
        for (const userId of userIds) drop(store, workshopId, userId, node);
      }),
    renew: (node, ttlMs) =>
      store.write(() => {
        const stood = isAlive(store, node, now());
        void store.leases.put(node, [now() + ttlMs, ttlMs]);
        return stood;
      }),
    end: (workshopId, node) =>
      store.write(() => {
        for (const [, , userId] of heldBy(store, node, workshopId)) drop(store, workshopId, userId, node);
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

/**
 * After the log was away nobody is gone for one lease's time: every lease begins anew. Connections to former processes are
 * gone, and their users awaited.
 */
export function renewLeases(store: Store, now: number): void {
  for (const { key: node, value } of [...store.leases.getRange()]) {
    const [until, ttlMs] = value;
    if (heldBy(store, node).length === 0) void store.leases.remove(node);
    else void store.leases.put(node, [Math.max(until, now + ttlMs), ttlMs]);
    for (const [, workshopId, userId] of heldBy(store, node))
      void store.holds.put([workshopId, userId, node], false);
  }
}

export interface Ending {
  workshopId: number;
  userId: number;
  node: string;
  leaves: boolean;
}

/** Whether anything holds a presence beside what its ending ends: see `unlessHeld` in `../log.ts`. */
export function isHeld(store: Store, { workshopId, userId, node, leaves }: Ending, now: number): boolean {
  return holders(store, workshopId, userId).some((holder) => {
    const connected = store.holds.get([workshopId, userId, holder]) === true;
    if (holder === node) return connected && !leaves;
    return isAlive(store, holder, now) && (connected || !leaves);
  });
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
      if (holders(store, workshopId, userId).some((holder) => isAlive(store, holder, now))) continue;
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
