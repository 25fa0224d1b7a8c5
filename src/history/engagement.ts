/** Who took part, and how: each attendee's share in the workshop, and what became of every hand. docs/analysis.md has the definitions. */
import type { Room } from '../domain/room.ts';
import type { CurrentEvent } from '../domain/upcast.ts';
import { type AttendanceLine, attendanceFold, attendanceLine, horizon } from './attendance.ts';
import { follow, isOf, type Pages } from './following.ts';

export interface Engagement {
  workshopId: number;
  /** In the order of first joining. */
  people: Participant[];
  /** The longest waits first, `handsTold` of them at most. */
  hands: HandWait[];
}

export interface Participant extends AttendanceLine {
  /** Without deleted ones. */
  messages: number;
  handsRaised: number;
  /** Times that their hand was answered by the right to speak. */
  approvals: number;
}

export const handOutcomes = ['approved', 'lowered', 'left', 'removed', 'ended', 'waiting'] as const;

export interface HandWait {
  /** Of the `hand-raised`. */
  version: number;
  userId: number;
  displayName: string | null;
  raisedAt: string;
  /** Since the workshop went live; 0 before. */
  offsetMs: number;
  /** Milliseconds from raising to what became of it, or to now. */
  waitMs: number;
  outcome: (typeof handOutcomes)[number];
}

/** Hands go up without end in a long workshop: those that waited longest are what is asked for. */
export const handsTold = 1_000;

export interface EngagementOptions {
  workshopId: number;
  /** Milliseconds since 1970; a workshop that goes on is looked at until then. */
  now: number;
  /** Messages that are deleted by now. */
  deleted: ReadonlySet<number>;
}

export async function engagement(pages: Pages, options: EngagementOptions): Promise<Engagement> {
  const { workshopId, now, deleted } = options;
  const attendance = attendanceFold();
  const acts = actsFold(deleted);
  const hands = handsFold();
  const room = await follow(pages, workshopId, (event, room) => {
    attendance.watch(event, room);
    acts.watch(event);
    hands.watch(event, room);
  });
  const until = horizon(room, now);
  return {
    workshopId,
    people: attendance.attendees(room, until).map((entry) => ({
      ...attendanceLine(room, entry, until),
      ...(acts.of.get(entry.userId) ?? noActs),
    })),
    hands: hands.longest(room, until),
  };
}

type Acts = Pick<Participant, 'messages' | 'handsRaised' | 'approvals'>;
const noActs: Acts = { messages: 0, handsRaised: 0, approvals: 0 };

function actsFold(deleted: ReadonlySet<number>) {
  const of = new Map<number, Acts>();
  function count(userId: number, act: keyof Acts): void {
    const acts = of.get(userId) ?? { ...noActs };
    acts[act]++;
    of.set(userId, acts);
  }
  return {
    of,
    watch(event: CurrentEvent) {
      if (isOf(event, 'chat-message')) {
        if (event.data.message !== null && !deleted.has(event.version)) count(event.data.userId, 'messages');
      } else if (isOf(event, 'hand-raised')) count(event.data.userId, 'handsRaised');
      else if (isOf(event, 'speaker-approved')) count(event.data.userId, 'approvals');
    },
  };
}

interface Raised {
  version: number;
  userId: number;
  at: number;
}

interface Waited extends Raised {
  waitMs: number;
  outcome: HandWait['outcome'];
}

function handsFold() {
  const up = new Map<number, Raised>();
  let waited: Waited[] = [];

  function end(userId: number, at: number, outcome: HandWait['outcome']): void {
    const raised = up.get(userId);
    if (raised === undefined) return;
    up.delete(userId);
    waited.push({ ...raised, waitMs: at - raised.at, outcome });
    // Sorted now and then, so that a workshop of a million hands holds a few thousand.
    if (waited.length >= 4 * handsTold) waited = longestOf(waited);
  }

  return {
    watch(event: CurrentEvent, room: Room) {
      const { at } = event;
      if (isOf(event, 'hand-raised')) {
        const { userId } = event.data;
        up.set(userId, { version: event.version, userId, at });
      } else if (isOf(event, 'speaker-approved')) end(event.data.userId, at, 'approved');
      else if (isOf(event, 'hand-lowered')) end(event.data.userId, at, 'lowered');
      else if (isOf(event, 'user-left')) end(event.data.userId, at, 'left');
      else if (isOf(event, 'user-removed')) end(event.data.userId, at, 'removed');
      // The end takes every hand down.
      else if (isOf(event, 'state-changed') && room.hands.size === 0)
        for (const userId of [...up.keys()]) end(userId, at, 'ended');
    },
    longest(room: Room, until: number): HandWait[] {
      for (const userId of [...up.keys()]) end(userId, until, 'waiting');
      return longestOf(waited).map(({ version, userId, at, waitMs, outcome }) => ({
        ...{ version, userId, waitMs, outcome },
        displayName: room.members.get(userId)?.displayName ?? null,
        raisedAt: new Date(at).toISOString(),
        offsetMs: room.startedAt === null ? 0 : Math.max(0, at - room.startedAt),
      }));
    },
  };
}

/** Of equal waits the earlier one first. */
function longestOf(waited: readonly Waited[]): Waited[] {
  return [...waited].sort((a, b) => b.waitMs - a.waitMs || a.version - b.version).slice(0, handsTold);
}
