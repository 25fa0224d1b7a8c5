/** Who takes part: names, parts, and when each comes, drops, comes back and goes. */
import { type Act, clamp, type Outline } from './acts.ts';
import type { Chance } from './chance.ts';
import { words } from './words.ts';

export type Part = 'host' | 'co-host' | 'heckler' | 'attendee' | 'no-show';

export interface Member {
  /** 1 is the host; the others are numbered on. */
  number: number;
  displayName: string;
  part: Part;
  visits: Visit[];
  /** When they may moderate. */
  terms: { from: number; to: number }[];
}
export type People = Member[];

export function peopleOf(outline: Outline, chance: Chance): People {
  const names = namesOf(chance.branch('names'));
  const people = partsOf(outline.attendees).map(
    (part, index): Member => ({
      number: index + 1,
      displayName: names(),
      part,
      visits: visitsOf(part, outline, chance.branch(`visits of ${index}`)),
      terms: part === 'host' ? [{ from: -outline.leadMs, to: outline.liveMs }] : [],
    }),
  );
  const attendees = people.filter(({ part }) => part === 'attendee');
  drop(attendees, outline, chance.branch('drops'));
  comeBack(attendees, outline, chance.branch('coming back'));
  lookOn(people, outline, chance.branch('devices'));
  return people;
}

/** Names that are not taken; numbered where there are no more. */
function namesOf(chance: Chance): () => string {
  const { name } = words(chance);
  const taken = new Set<string>();
  return () => {
    let drawn = name();
    for (let draw = 0; draw < 50 && taken.has(drawn); draw++) drawn = name();
    for (let n = 2, first = drawn; taken.has(drawn); n++) drawn = `${first} ${n}`;
    taken.add(drawn);
    return drawn;
  };
}

/** Of so many who come, and a tenth more who do not. */
function partsOf(attendees: number): Part[] {
  const coHosts = attendees < 4 ? 0 : Math.min(3, 1 + Math.floor(attendees / 100));
  const hecklers = attendees < 8 ? 0 : attendees < 150 ? 1 : 2;
  const of = (part: Part, count: number) => Array<Part>(count).fill(part);
  return [
    'host',
    ...of('co-host', coHosts),
    ...of('heckler', hecklers),
    ...of('attendee', attendees - coHosts - hecklers),
    ...of('no-show', Math.round(attendees / 10)),
  ];
}

function visitsOf(part: Part, outline: Outline, chance: Chance): Visit[] {
  const { leadMs, lobbyMs, liveMs, secondMs } = outline;
  const stays = (from: number): Visit[] => [
    { ...{ device: 0, from, to: liveMs, ending: 'stays' }, gaps: [] },
  ];
  if (part === 'no-show') return [];
  if (part === 'host') return stays(-leadMs + 2 * secondMs);
  if (part === 'co-host') return stays(-chance.between(0.7, 0.9) * lobbyMs);
  if (part === 'heckler') return stays(chance.between(0.04, 0.14) * liveMs);
  const from = clamp(arrival(outline, chance), -leadMs + 20 * secondMs, 0.7 * liveMs);
  const leavesAt = departure(from, outline, chance);
  if (leavesAt === undefined) return stays(from);
  const to = clamp(leavesAt, from + 20 * secondMs, liveMs - secondMs);
  // Many close the laptop instead of saying so.
  return [{ ...{ device: 0, from, to, ending: chance.happens(0.65) ? 'leaves' : 'drops' }, gaps: [] }];
}

/** Three waves: the early ones in the lobby, most of them around the start, and stragglers. */
function arrival({ lobbyMs, liveMs }: Outline, chance: Chance): number {
  const wave = chance.next();
  if (wave < 0.12) return chance.normal(-0.8 * lobbyMs, 0.12 * lobbyMs);
  if (wave < 0.76) return chance.normal(-0.08 * lobbyMs, 0.18 * lobbyMs);
  return chance.exponential(liveMs / 12);
}

/** Undefined for who lingers until the host ends it. */
function departure(from: number, { liveMs }: Outline, chance: Chance): number | undefined {
  const kind = chance.next();
  if (kind < 0.08) return Math.max(0, from) + chance.exponential(liveMs / 10);
  if (kind < 0.27) return chance.between(Math.max(0, from) + 0.15 * liveMs, 0.92 * liveMs);
  if (kind < 0.7) return chance.normal(0.97 * liveMs, 0.012 * liveMs);
  return undefined;
}

/** Short cuts that nobody should notice, and long ones that end a stay. */
function drop(attendees: readonly Member[], outline: Outline, chance: Chance): void {
  const { graceMs, liveMs, secondMs } = outline;
  const often = clamp(liveMs / 3_600_000, 0.2, 1) * attendees.length;
  const margin = 10 * secondMs;
  // Well within the grace, with the time that connecting takes on a busy machine; and well beyond.
  const lengths = [
    { count: Math.ceil(0.2 * often), length: () => chance.between(0.1, 0.3) * Math.min(graceMs, 20_000) },
    {
      count: Math.ceil(0.12 * often),
      length: () => Math.max(90_000, 3 * graceMs) + chance.exponential(60_000),
    },
  ];
  for (const { count, length } of lengths) {
    let left = count;
    for (const { visits } of chance.some(attendees, Math.min(attendees.length, 3 * count))) {
      const [visit] = visits;
      const ms = length();
      if (left === 0 || visit === undefined || visit.to - visit.from < ms + 4 * margin) continue;
      const from = chance.between(visit.from + margin, visit.to - margin - ms);
      const gap = { from, to: from + ms };
      if (visit.gaps.some((other) => gap.from < other.to + margin && other.from < gap.to + margin)) continue;
      visit.gaps = [...visit.gaps, gap].sort((one, other) => one.from - other.from);
      left--;
    }
  }
}

/** Some leave in the middle and are there again later. */
function comeBack(attendees: readonly Member[], { liveMs, secondMs }: Outline, chance: Chance): void {
  const candidates = attendees.filter(
    ({ visits: [visit] }) => visit?.ending === 'leaves' && visit.from < 0 && visit.to < 0.8 * liveMs,
  );
  for (const { visits } of chance.some(candidates, Math.ceil(candidates.length / 4))) {
    const [first] = visits;
    if (first === undefined) continue;
    const from = chance.between(first.to + 10 * secondMs, liveMs - 20 * secondMs);
    visits.push({ ...{ device: 0, from, to: liveMs, ending: 'stays' }, gaps: [] });
  }
}

/** A second tab, or the phone beside the laptop, for a while. */
function lookOn(people: readonly Member[], { secondMs }: Outline, chance: Chance): void {
  const candidates = people.filter(
    ({ part, visits: [visit] }) =>
      (part === 'attendee' || part === 'co-host') &&
      visit !== undefined &&
      visit.to - visit.from > 60 * secondMs,
  );
  for (const { visits } of chance.some(candidates, Math.ceil(0.12 * candidates.length))) {
    const [main] = visits;
    if (main === undefined) continue;
    const from = chance.between(main.from + 5 * secondMs, main.to - 30 * secondMs);
    const staysOn = chance.happens(0.4);
    visits.push({
      ...{ device: 1, from, gaps: [] },
      to: staysOn ? main.to : chance.between(from + 10 * secondMs, main.to - 5 * secondMs),
      ending: staysOn ? main.ending : chance.happens(0.5) ? 'leaves' : 'drops',
    });
  }
}

/** When someone is there, on which device, and how that ends. */
interface Visit {
  /** 0 is the one on which everything is done; others only look on. */
  device: number;
  from: number;
  to: number;
  /** `drops`: the connection breaks and does not come back. `stays`: until the host ends it. */
  ending: 'leaves' | 'drops' | 'stays' | 'removed';
  /** While the connection is broken, in order. */
  gaps: { from: number; to: number }[];
}

interface Visitor {
  number: number;
  visits: readonly Visit[];
}

/** Whether someone is connected on the first device through all of that time. */
export function isThere({ visits }: Visitor, from: number, to = from): boolean {
  return visits.some(
    (visit) =>
      visit.device === 0 &&
      visit.from <= from &&
      to < visit.to &&
      visit.gaps.every((gap) => to < gap.from || gap.to < from),
  );
}

export function visitActs({ number, visits }: Visitor): Act[] {
  return visits.flatMap(({ device, from, to, ending, gaps }) => {
    const at = (atMs: number, name: 'join' | 'leave' | 'cut' | 'return'): Act => ({
      ...{ atMs, by: number, name, device },
    });
    const acts = [at(from, 'join')];
    for (const gap of gaps) acts.push(at(gap.from, 'cut'), at(gap.to, 'return'));
    if (ending === 'leaves') acts.push(at(to, 'leave'));
    if (ending === 'drops') acts.push(at(to, 'cut'));
    return acts;
  });
}

/** Ends every visit that goes on at that time, and takes back those that were still to come. */
export function endVisits(visits: readonly Visit[], at: number, ending: Visit['ending']): Visit[] {
  return visits
    .filter(({ from }) => from < at)
    .map((visit) =>
      visit.to <= at ? visit : { ...visit, to: at, ending, gaps: visit.gaps.filter(({ to }) => to < at) },
    );
}
