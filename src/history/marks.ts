/** What stands out in a workshop: steps of its life, who was appointed or sent out, and where it peaked. */
import type { Room, Status } from '../domain/room.ts';
import type { CurrentEvent } from '../domain/upcast.ts';
import { isOf } from './following.ts';
import type { Peak, Peaks } from './series.ts';

export interface Mark {
  version: number;
  at: string;
  /** Since the workshop went live; 0 before. */
  offsetMs: number;
  /** The event's type, or `peak-present`, `peak-hands`, `peak-chat`. */
  type: string;
  /** English, for people. */
  label: string;
}

export interface MarksFold {
  watch(event: CurrentEvent, room: Room): void;
  /** In the order of versions. */
  marks(room: Room, peaks: Peaks): Mark[];
}

/** Hosts may promote and demote without end: beyond this many, what they do is in the events alone. */
const maxMarks = 10_000;

interface Noted {
  version: number;
  at: number;
  type: string;
  label: string;
}

export function marksFold(): MarksFold {
  const noted: Noted[] = [];

  return {
    watch(event, room) {
      const label = labelOf(event, room);
      if (label === undefined) return;
      if (noted.length >= maxMarks && event.type !== 'state-changed') return;
      noted.push({ version: event.version, at: event.at, type: event.type, label });
    },
    marks: ({ startedAt }, peaks) =>
      [...noted, ...peakMarks(peaks)]
        .sort((a, b) => a.version - b.version)
        .map(({ version, at, type, label }) => ({
          ...{ version, at: new Date(at).toISOString(), offsetMs: offsetOf(at, startedAt), type, label },
        })),
  };
}

const steps: Record<Status, string> = {
  scheduled: 'Scheduled',
  lobby: 'The lobby opened',
  live: 'Went live',
  ended: 'Ended',
  cancelled: 'Cancelled',
};

function labelOf(event: CurrentEvent, room: Room): string | undefined {
  if (isOf(event, 'state-changed')) return steps[event.data.status];
  if (isOf(event, 'cohost-promoted')) return `${nameOf(room, event.data.userId)} became co-host`;
  if (isOf(event, 'cohost-demoted')) return `${nameOf(room, event.data.userId)} is no longer co-host`;
  if (isOf(event, 'user-removed')) return `${nameOf(room, event.data.userId)} was removed`;
  if (isOf(event, 'user-readmitted')) return `${nameOf(room, event.data.userId)} was readmitted`;
  return undefined;
}

function nameOf({ members }: Room, userId: number): string {
  return members.get(userId)?.displayName ?? `User ${userId}`;
}

function peakMarks({ present, handsUp, chat }: Peaks): Noted[] {
  const mark = (type: string, { value, version, at }: Peak, label: string): Noted[] =>
    value === 0 ? [] : [{ version, at, type, label }];
  return [
    ...mark('peak-present', present, `${present.value} present, the most at once`),
    ...mark('peak-hands', handsUp, `${counted(handsUp.value, 'hand')} up, the most at once`),
    ...mark('peak-chat', chat, `${counted(chat.value, 'message')}, the most in one bucket`),
  ];
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

function offsetOf(at: number, startedAt: number | null): number {
  return startedAt === null ? 0 : Math.max(0, at - startedAt);
}
