/**
 * Decides whether something may go through now: at once, in this node's memory, for each account that it is counted on. Nodes
 * tell each other through the shared store (`shared.ts`), in the background and in quarters of an allowance, so that who stays
 * below a quarter costs the store nothing, and who uses an allowance up on several nodes gets at most a quarter more from each.
 *
 * Measured: 1.4 µs for the three accounts of a command; a round trip to Redis would be 200 µs.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { type Places, places } from './places.ts';
import type { SharedCount, SharedStore } from './shared.ts';
import {
  type Allowance,
  allowancesOf,
  type Kind,
  kinds,
  type Layer,
  layers,
  socketsOfUser,
} from './table.ts';

/** Who something is counted on. What is left out is not asked. */
export interface Accounts {
  socket?: string | undefined;
  user?: number | undefined;
  /** As `countedAs` gives it. */
  address?: string | undefined;
  workshop?: number | undefined;
}

export type Verdict = { ok: true } | { ok: false; layer: Layer; retryAfterMs: number };

export interface Limits {
  /**
   * Counts one of that kind, on the narrowest account first: what one refuses is not counted on the wider ones, so that a
   * flooder uses up nobody else's allowance. Never waits for anything outside this process, and never rejects. At once, where
   * there are no limits.
   */
  take(kind: Kind, accounts: Accounts): Verdict | Promise<Verdict>;
  /** Of a user's sockets on this node. */
  readonly sockets: Places;
}

export interface LimitOptions {
  /** Factor on every allowance; 0 for no limits. */
  scale: number;
  /** Where nodes share what was used; without it each counts for itself. */
  store?: SharedStore | undefined;
  /** Something was refused. */
  refused?(kind: Kind, layer: Layer): void;
}

/** Milliseconds to wait, 0 where it may go through. */
type Count = (account: string | number) => Promise<number>;

const granted: Verdict = { ok: true };

export function rateLimits({ scale, store, refused = () => undefined }: LimitOptions): Limits {
  if (scale === 0) return { take: () => granted, sockets: places(Number.POSITIVE_INFINITY) };
  const counts = new Map(kinds.map((kind) => [kind, countsOf(kind, scale, store)]));

  return {
    sockets: places(Math.max(socketsOfUser.least, Math.round(socketsOfUser.most * scale))),
    async take(kind, accounts) {
      for (const [layer, count] of counts.get(kind) ?? []) {
        const account = accounts[layer];
        if (account === undefined) continue;
        const retryAfterMs = await count(account);
        if (retryAfterMs === 0) continue;
        refused(kind, layer);
        return { ok: false, layer, retryAfterMs };
      }
      return granted;
    },
  };
}

function countsOf(kind: Kind, scale: number, store: SharedStore | undefined): [Layer, Count][] {
  const allows = allowancesOf(kind);
  return layers.flatMap((layer): [Layer, Count][] => {
    const allowance = allows[layer];
    if (allowance === undefined) return [];
    const points = Math.max(allowance.least ?? 1, Math.round(allowance.points * scale));
    const scaled = { points, seconds: allowance.seconds };
    // A socket lives on one node.
    const shared =
      store === undefined || layer === 'socket' ? undefined : store.of(`${kind}:${layer}`, scaled);
    return [[layer, counting(scaled, shared)]];
  });
}

function counting({ points, seconds }: Allowance, shared: SharedCount | undefined): Count {
  const here = new RateLimiterMemory({ keyPrefix: '', points, duration: seconds });
  const quarter = Math.max(1, Math.floor(points / 4));

  async function report(account: string | number): Promise<void> {
    const usedUpMs = await shared?.add(account, quarter);
    if (usedUpMs) await here.block(account, usedUpMs / 1_000);
  }

  return async (account) => {
    try {
      const { consumedPoints } = await here.consume(account);
      if (shared !== undefined && consumedPoints % quarter === 0) void report(account);
      return 0;
    } catch (usedUp) {
      if (usedUp instanceof RateLimiterRes) return Math.max(1, usedUp.msBeforeNext);
      throw usedUp;
    }
  };
}
