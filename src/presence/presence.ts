/**
 * Who is present: the whole protocol, and the one place where this node takes part in it.
 *
 * A user is present from `user-joined` to `user-left`, whatever the number of their sockets and on whichever nodes. Rooms and
 * tables know these two events and nothing else. When they are appended is decided by what nodes say beside them, which the
 * log keeps (`log.presence`):
 *
 *   hold    of a user in a workshop, by a node: "connected here", or "dropped here and awaited"
 *   lease   of a node: "alive", for a while, and said again before the while is over
 *
 * A user on this node:
 *
 * Connections drop by being closed, or by not answering pings any more: up to 45 s for a phone that went silent
 * (`pingInterval` and `pingTimeout` in `src/lib/socket/index.ts`). From then on:
 *
 *            a join is decided                 the last socket drops           the grace is over
 *   outside ──────────────────► connected ───────────────────────────► awaited ─────────────────► gone
 *      ▲     hold: connected       │  ▲         hold: awaited             │       `drop-user` appends `user-left`,
 *      │     (written before)      │  └─────────── joins again ───────────┘       unless somebody still holds them
 *      └───────────────────────────┴─ leaves, is removed, the workshop ends: the hold goes
 *
 * A node:
 *
 *         its lease ran out: killed, frozen, cut off from the log            another node looks for such
 *   alive ──────────────────────────────────────────────────────────► dead ─────────────────────────────► reaped
 *     ▲                                                                │     `drop-user` for each of its users
 *     └────────── it renews after all, and says anew whom it holds ────┘
 *
 * Who does what, and what would go wrong otherwise:
 *
 *  1. Joining. The grace ends (`joining`), the engine writes the hold, and only then decides, on a room that is as new as the
 *     hold (`holds.ts`). Otherwise another node whose grace ends in between finds nobody holding the user, and records as gone
 *     who was just told to be in. While it is under way another socket of the user may drop: they are not awaited for that
 *     (`arrivals.ts`).
 *  2. Not let in. A refused join gives its hold back. Where the answer of the log is missing the join may be in it: then the
 *     user counts as dropped, or an unanswered join would leave a ghost (`notLetIn`).
 *  3. Dropping. The hold says "awaited" at once, and again before anything is recorded (`dropped`, `grace.ts`). The script that
 *     appends `user-left` looks itself (`unlessHeld`; `append.lua` with `presence.lua` in `src/log/redis/`): nothing is appended while a living node is
 *     connected to the user, or another living one awaits them. So no order of two nodes' words loses a user who is there.
 *  4. Leaving by one's own word. The same script ends the own hold and does not count nodes that only await the user: who came
 *     back to another node and leaves there has left, whoever still waits.
 *  5. Removal and the end of a workshop give holds back (`removed`, `ended`): one that stayed would keep a user present later.
 *  6. Leases. A node renews its own lease, and reaps those that ran out, whosever they are (`leases.ts`). Several nodes doing so at
 *     once do no harm, since the script looks.
 *  7. Quiet time. While the log is away nobody can renew, and clients cannot come back: for one lease after it nobody is
 *     recorded as gone, neither by grace nor by reaping (`leases.ts`). Nor is anybody reaped before this node could be reached
 *     for as long.
 *  8. Lost holds. A node whose lease had run out, or whose log lost events, says anew whom it holds (`holdAgain`): others may have
 *     reaped them, or the log may have forgotten them. Whoever is leaving is left out: their hold would outlive them.
 *  9. Said to have left while here. A node that reads `user-left` for someone connected to it lets them in again with
 *     `rejoin-user`, whatever the capacity (`rejoin`).
 * 10. The end of a node. Sockets that it cuts are nobody's leaving: it stops waiting (`drain`), and leaves a lease behind that
 *     lasts for the grace, in which its users come back elsewhere (`close`).
 *
 * So a dropped phone becomes `user-left` by this way: `disconnected` (`src/lib/socket/session.ts`), `dropped` here, `begin` and,
 * when the time has come, `over` (`grace.ts`), the command `drop-user` (`src/domain/capabilities/attendance.ts`) through the
 * engine, and the append script. Where the node died with it, by `reap` (`leases.ts`) on another one instead.
 *
 * No other module knows holds, leases, grace or quiet time. This one knows neither sockets nor the engine: who is connected it
 * asks, and commands it hands over.
 */
import type { EventLog } from '../log/log.ts';
import { retrying } from '../timing/retry.ts';
import { arrivals } from './arrivals.ts';
import { grace, type Recorded } from './grace.ts';
import { type Connected, keepLeases } from './leases.ts';

export type { Connected, Recorded };

export interface NodePresence {
  /** Resolves once this node has a lease: what it holds before counts for nothing. */
  ready: Promise<void>;
  /** Clients can reach this node from now on. */
  opened(): void;
  /** A user's join is about to be handed to the engine. */
  joining(workshopId: number, userId: number): Arrival;
  /** A socket of a user who had joined dropped. Without effect where they have another one here, or one that is joining. */
  dropped(workshopId: number, userId: number): void;
  /** The user was removed from the workshop, and their sockets here are out of it. */
  removed(workshopId: number, userId: number): void;
  /** The workshop is over. */
  ended(workshopId: number): void;
  /** The log says that a user left who is connected here: lets them in again, for as long as that `isSo`. */
  rejoin(workshopId: number, user: Person, isSo: () => boolean): void;
  /** The log may have lost what it held of these workshops. */
  holdAgain(workshopIds: readonly number[]): Promise<void>;
  /** Whether anyone is awaited in the workshop. */
  awaits(workshopId: number): boolean;
  /** From now on drops are this node's own doing. */
  drain(): void;
  /** Whoever was here has the time of grace to come back elsewhere: until then the lease still stands. */
  close(): Promise<void>;
}

/** A join under way. It ends once, in one of these ways; what is said of it later has no effect. */
export interface Arrival {
  /** Its socket is in the room. */
  inside(): void;
  /** It was refused, or, with `perhapsDone`, its answer is missing. */
  notLetIn(perhapsDone: boolean): Promise<void>;
  /** It was recorded, and its socket is gone or cannot be served. */
  dropped(): void;
}

export interface PresenceParts {
  log: Pick<EventLog, 'presence'>;
  /** Name of this node; new at each start. */
  node: string;
  /** How long someone whose connection dropped is waited for. */
  graceMs: number;
  /** A dead node's users are gone within this time. */
  leaseMs: number;
  connected: Connected;
  /** Hands a command of the system to the engine. Never rejects. */
  handle(command: PresenceCommand): Promise<Recorded>;
  failed(error: unknown): void;
}

export interface Person {
  userId: number;
  displayName: string;
  avatarUrl: string | null;
}

export interface PresenceCommand {
  workshopId: number;
  name: 'drop-user' | 'rejoin-user';
  payload: { userId: number } | Person;
  actor: { kind: 'system' };
}

/** When someone who could not be let in again is tried again, at the latest. */
const rejoinMs = 1_000;

export function nodePresence(parts: PresenceParts): NodePresence {
  const { node, graceMs, leaseMs, connected, handle, failed } = parts;
  const { presence } = parts.log;
  const ending = new AbortController();
  const gone = (workshopId: number, userId: number) =>
    handle({ workshopId, name: 'drop-user', payload: { userId }, actor: { kind: 'system' } });

  const leases = keepLeases({
    ...{ presence, node, graceMs, leaseMs, connected, gone, failed },
    holdAgain: async () => void (await Promise.all(connected.workshops().map(hold))),
  });
  const coming = arrivals();
  const awaited = grace({ presence, node, graceMs, leaseMs, gone, failed, quietMs: leases.quietMs });

  async function hold(workshopId: number): Promise<void> {
    const userIds = connected.staying(workshopId);
    if (userIds.length > 0) await presence.hold(workshopId, userIds, node);
  }

  /** A failure is told of and otherwise ignored: the hold ends with the node's lease. */
  async function release(workshopId: number, userId: number): Promise<void> {
    await presence.release(workshopId, [userId], node).catch(failed);
  }

  function dropped(workshopId: number, userId: number): void {
    if (connected.has(workshopId, userId) || coming.dropped(workshopId, userId)) return;
    awaited.begin(workshopId, userId);
  }

  function joining(workshopId: number, userId: number): Arrival {
    awaited.end(workshopId, userId);
    const arrival = coming.begin(workshopId, userId);
    return {
      inside: () => void arrival.end(),
      async notLetIn(perhapsDone) {
        const left = arrival.end();
        if (left === 'drop' || perhapsDone) dropped(workshopId, userId);
        else if (left === 'hold' && !connected.has(workshopId, userId)) await release(workshopId, userId);
      },
      dropped() {
        if (arrival.end() !== 'nothing') dropped(workshopId, userId);
      },
    };
  }

  async function letIn(workshopId: number, { userId, displayName, avatarUrl }: Person): Promise<void> {
    const payload = { userId, displayName, avatarUrl };
    const outcome = await handle({ workshopId, name: 'rejoin-user', payload, actor: { kind: 'system' } });
    if (!outcome.ok && outcome.error.retryable) throw new Error('nobody could be let in again yet');
  }

  return {
    ready: leases.ready,
    opened: leases.opened,
    joining,
    dropped,
    removed(workshopId, userId) {
      awaited.end(workshopId, userId);
      // One who is joining again has written a hold for that, whose end sees to it.
      if (connected.has(workshopId, userId) || coming.has(workshopId, userId)) return;
      void release(workshopId, userId);
    },
    ended(workshopId) {
      presence.end(workshopId, node).catch(failed);
    },
    rejoin(workshopId, user, isSo) {
      const { signal } = ending;
      const pauses = { first: rejoinMs, most: rejoinMs };
      retrying(async () => (isSo() ? letIn(workshopId, user) : undefined), { signal, pauses }).catch(
        (error: unknown) => {
          if (!signal.aborted) failed(error);
        },
      );
    },
    async holdAgain(workshopIds) {
      await Promise.all(workshopIds.map((workshopId) => hold(workshopId).catch(failed)));
    },
    awaits: awaited.awaits,
    drain: awaited.close,
    close() {
      ending.abort();
      awaited.close();
      return leases.close();
    },
  };
}
