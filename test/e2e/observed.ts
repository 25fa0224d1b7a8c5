/**
 * What the people of a simulation themselves observed – their acknowledgements and the events that they were sent –, and the
 * numbers that follow from it, computed without the log, the tables, or any code of the history.
 */

import type { LooseEvent } from '../../src/protocol/wire.ts';
import type { Act } from '../../src/simulate/acts.ts';
import type { Done, Observer } from '../../src/simulate/play.ts';

/** An event, when it happened by its own time, and when it first arrived; both in milliseconds since 1970. */
export interface Heard {
  event: LooseEvent;
  at: number;
  arrivedAt: number;
}

export interface Observed {
  observer: Partial<Observer>;
  done: Done[];
  /** Every event that anyone was sent, by its version. */
  heard: Map<number, Heard>;
  /** Whatever someone was sent otherwise than someone else, or out of order. */
  differences: string[];
  /** The last version that each device was sent, by person and device. */
  lastOf: Map<string, number>;
}

export function observing(): Observed {
  const done: Done[] = [];
  const heard = new Map<number, Heard>();
  const differences: string[] = [];
  const lastOf = new Map<string, number>();
  return {
    ...{ done, heard, differences, lastOf },
    observer: {
      acted: (each) => void done.push(each),
      heard(number, device, event) {
        const { version, type, at } = event;
        const who = `${number} on ${device}`;
        const last = lastOf.get(who) ?? 0;
        if (version <= last) differences.push(`${who} was sent ${version} after ${last}`);
        lastOf.set(who, version);
        const known = heard.get(version);
        if (known === undefined) heard.set(version, { event, at: Date.parse(at), arrivedAt: Date.now() });
        else if (known.event.type !== type || known.event.at !== at)
          differences.push(`${who} was sent another ${version}`);
      },
    },
  };
}

export interface Numbers {
  uniqueAttendees: number;
  peakPresent: number;
  /** Of each person, by user id; the host's begins at `hostSince`. */
  presentMs: Map<number, number>;
  messages: number;
  /** Who wrote something that stands, who was let speak. */
  authors: Set<number>;
  speakers: Set<number>;
  raisers: Set<number>;
  handsRaised: number;
  /** From raising to approval, of those who were approved, the shortest first. */
  handWaitsMs: number[];
  startedAt: number;
  endedAt: number;
}

/** From the events, by their own times. The host came before anyone could be sent events: when is theirs to say. */
export function numbersOf({ heard }: Observed, hostId: number, hostSince: number): Numbers {
  const since = new Map<number, number>([[hostId, hostSince]]);
  const numbers: Numbers = {
    ...{ uniqueAttendees: 0, peakPresent: 1, presentMs: new Map(), messages: 0, authors: new Set() },
    ...{ speakers: new Set(), raisers: new Set(), handsRaised: 0, handWaitsMs: [], startedAt: 0, endedAt: 0 },
  };
  const { presentMs, handWaitsMs } = numbers;
  const raisedAt = new Map<number, number>();
  const authorOf = new Map<number, number>();
  const goes = (userId: number, at: number) => {
    presentMs.set(userId, (presentMs.get(userId) ?? 0) + at - (since.get(userId) ?? at));
    since.delete(userId);
    raisedAt.delete(userId);
  };
  for (const { event, at } of [...heard.values()].sort(
    (one, other) => one.event.version - other.event.version,
  )) {
    const userId = Number(event.userId);
    if (event.type === 'user-joined') since.set(userId, at);
    if (event.type === 'user-left' || event.type === 'user-removed') goes(userId, at);
    if (event.type === 'hand-raised') {
      numbers.handsRaised++;
      numbers.raisers.add(userId);
      raisedAt.set(userId, at);
    }
    if (event.type === 'speaker-approved') {
      numbers.speakers.add(userId);
      const raised = raisedAt.get(userId);
      if (raised !== undefined) handWaitsMs.push(at - raised);
    }
    if (event.type === 'hand-lowered') raisedAt.delete(userId);
    if (event.type === 'chat-message') authorOf.set(event.version, userId);
    if (event.type === 'chat-deleted') authorOf.delete(Number(event.id));
    if (event.type === 'state-changed' && event.status === 'live') numbers.startedAt = at;
    if (event.type === 'state-changed' && event.status === 'ended') {
      numbers.endedAt = at;
      for (const present of [...since.keys()]) goes(present, at);
    }
    numbers.peakPresent = Math.max(numbers.peakPresent, since.size);
  }
  numbers.uniqueAttendees = presentMs.size;
  numbers.messages = authorOf.size;
  numbers.authors = new Set(authorOf.values());
  handWaitsMs.sort((one, other) => one - other);
  return numbers;
}

/**
 * The least and the most that someone can have been present, told by their own acknowledgements: each stay began between
 * asking to be let in and the answer to that, and ended when the room said so.
 */
export function boundsOf(
  { done, heard }: Observed,
  number: number,
  userId: number,
): { least: number; most: number } {
  const ends = [...heard.values()]
    .filter(({ event: { type, userId: whose } }) => whose === userId && endsStay(type))
    .map(({ at }) => at)
    .sort((one, other) => one - other);
  const overAt = [...heard.values()].find(({ event }) => event.status === 'ended')?.at ?? Number.NaN;
  const entries = done.filter(
    ({ act, reply }) => act.by === number && isEntry(act) && reply.ok && reply.changed,
  );
  return entries.reduce(
    ({ least, most }, { beganAt, answeredAt }, stay) => {
      const end = ends[stay] ?? overAt;
      return { least: least + end - answeredAt, most: most + end - beganAt };
    },
    { least: 0, most: 0 },
  );
}

/** Of sorted values the one at the place `1 + q · (n − 1)`, in proportion between two: as docs/analysis.md has it. */
export function percentile(sorted: readonly number[], q: number): number {
  const place = q * (sorted.length - 1);
  const [below = Number.NaN, above = below] = sorted.slice(Math.floor(place), Math.floor(place) + 2);
  return below + (place % 1) * (above - below);
}

const endsStay = (type: string) => type === 'user-left' || type === 'user-removed';
const isEntry = ({ name }: Act) => name === 'join' || name === 'return';
