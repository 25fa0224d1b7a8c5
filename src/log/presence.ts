/** Holds on users and leases of nodes, outside the events: what the protocol of `src/presence/presence.ts` writes and asks. */
export interface Presence {
  /** Says that this node has connections of these users in the workshop. Before their join is decided. */
  hold(workshopId: number, userIds: readonly number[], node: string): Promise<void>;
  /**
   * Says that the last connection of these users here dropped and that another one is awaited. Without effect on whom this
   * node does not hold.
   */
  drop(workshopId: number, userIds: readonly number[], node: string): Promise<void>;
  /** Ends this node's hold on users without recording anything, such as on who was removed. */
  release(workshopId: number, userIds: readonly number[], node: string): Promise<void>;
  /**
   * Keeps all that this node holds alive for `ttlMs`. False where the lease had run out or never begun: others may have taken
   * what it held for a dead node's, so it has to say anew whom it holds.
   */
  renew(node: string, ttlMs: number): Promise<boolean>;
  /** What nodes hold whose lease ran out and which no living node holds too. Stays until `forget` or `unlessHeld`. */
  expired(): Promise<Expired[]>;
  /** Drops what this node holds in a workshop, which is over. */
  end(workshopId: number, node: string): Promise<void>;
  /** Drops what a dead node held in a workshop; nothing where it came back to life. */
  forget(workshopId: number, node: string): Promise<void>;
}

export interface Expired {
  node: string;
  workshopId: number;
  userIds: number[];
}
