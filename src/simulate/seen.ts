/** What a simulated workshop came to, counted from the events that its host was sent. Times are the server's. */
import { z } from 'zod';
import type { LooseEvent } from '../protocol/wire.ts';

export interface Seen {
  status: string;
  /** How many came at all, the host included, and how many were and are there at once. */
  came: number;
  peakPresent: number;
  present: number;
  /** Deleted ones are not counted. */
  messages: number;
  deletedMessages: number;
  handsRaised: number;
  handsUp: number;
  speakersApproved: number;
  /** From raising a hand to being approved, in milliseconds of the server's; null where nobody was. */
  medianHandWaitMs: number | null;
  removed: number;
}

export interface Watch {
  see(event: LooseEvent): void;
  seen(): Seen;
}

const about = z.object({ userId: z.int() });
const status = z.object({ status: z.string() });

/** The host is in the room before everyone else, and their own coming is in the state that they got. */
export function watch(hostId: number): Watch {
  const came = new Set([hostId]);
  const present = new Set([hostId]);
  const hands = new Map<number, number>();
  const waits: number[] = [];
  const counts = { peakPresent: 1, messages: 0, deletedMessages: 0, handsRaised: 0, removed: 0 };
  let speakersApproved = 0;
  let now = 'scheduled';

  function goes(userId: number): void {
    present.delete(userId);
    hands.delete(userId);
  }

  return {
    see(event) {
      const at = Date.parse(event.at);
      const userId = about.safeParse(event).data?.userId ?? 0;
      switch (event.type) {
        case 'user-joined':
          came.add(userId);
          present.add(userId);
          counts.peakPresent = Math.max(counts.peakPresent, present.size);
          break;
        case 'user-left':
          goes(userId);
          break;
        case 'user-removed':
          goes(userId);
          counts.removed++;
          break;
        case 'hand-raised':
          hands.set(userId, at);
          counts.handsRaised++;
          break;
        case 'hand-lowered':
          hands.delete(userId);
          break;
        case 'speaker-approved': {
          const since = hands.get(userId);
          speakersApproved++;
          if (since !== undefined) waits.push(at - since);
          break;
        }
        case 'chat-message':
          counts.messages++;
          break;
        case 'chat-deleted':
          counts.messages--;
          counts.deletedMessages++;
          break;
        case 'state-changed':
          now = status.parse(event).status;
          if (now !== 'ended' && now !== 'cancelled') break;
          present.clear();
          hands.clear();
          break;
      }
    },
    seen: () => ({
      ...{ status: now, came: came.size, present: present.size, ...counts },
      ...{ handsUp: hands.size, speakersApproved, medianHandWaitMs: median(waits) },
    }),
  };
}

/** The middle one, or halfway between the two in the middle. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((one, other) => one - other);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.ceil(sorted.length / 2) - 1];
  return high === undefined || low === undefined ? null : (low + high) / 2;
}
