/** Who takes part: names, parts, and when each comes, drops, comes back and goes. */
import type { Chance } from './chance.ts';
import { clamp, type Outline } from './outline.ts';
import type { Visit } from './visits.ts';
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
export type Cast = Member[];

export function castOf(outline: Outline, chance: Chance): Cast {
  const names = namesOf(chance.branch('names'));
  const cast = partsOf(outline.attendees).map(
    (part, index): Member => ({
      number: index + 1,
      displayName: names(),
      part,
      visits: visitsOf(part, outline, chance.branch(`visits of ${index}`)),
      terms: part === 'host' ? [{ from: -outline.leadMs, to: outline.liveMs }] : [],
    }),
  );
  const attendees = cast.filter(({ part }) => part === 'attendee');
  drop(attendees, outline, chance.branch('drops'));
  comeBack(attendees, outline, chance.branch('coming back'));
  lookOn(cast, outline, chance.branch('devices'));
  return cast;
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
function lookOn(cast: readonly Member[], { secondMs }: Outline, chance: Chance): void {
  const candidates = cast.filter(
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
