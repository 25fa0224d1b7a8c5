/** Who writes what: greetings on arrival, bursts after a question, remarks in between, thanks at the end. */
import type { Outline } from './acts.ts';
import type { Chance } from './chance.ts';
import { isThere, type Member, type People } from './people.ts';
import { words } from './words.ts';

export interface Line {
  atMs: number;
  by: number;
  message: string;
  deleted?: { atMs: number; by: number };
}

/** Messages of an hour and a person, beside those that something gave rise to. */
const remarksAnHour = 2.2;

export function chatLines(outline: Outline, people: People, chance: Chance): Line[] {
  const { liveMs, secondMs } = outline;
  const says = words(chance.branch('words'));
  const writers = people.filter(({ part }) => part === 'attendee' || part === 'co-host');
  const lines: Line[] = [];

  /** Left out where one is not there by then. */
  function write(member: Member, atMs: number, message: string): void {
    if (atMs < liveMs && isThere(member, atMs)) lines.push({ atMs, by: member.number, message });
  }

  for (const member of writers) {
    const from = member.visits[0]?.from ?? 0;
    const at = Math.max(from, -outline.lobbyMs) + chance.between(4, 40) * secondMs;
    if (chance.happens(0.3)) write(member, at, says.greeting());
    if (chance.happens(0.28)) write(member, chance.between(0.94, 0.985) * liveMs, says.thanks());
  }
  for (const round of outline.rounds) {
    const { question, answer } = says.round();
    lines.push({ atMs: round, by: 1, message: question });
    const share = chance.between(0.05, 0.22);
    for (const member of writers)
      if (chance.happens(share))
        write(member, round + (2 + chance.exponential(8) + chance.exponential(8)) * secondMs, answer());
  }
  // A few write most of it: they are in the urn more often.
  const urn = writers.flatMap((member) => Array<Member>(Math.ceil(chance.exponential(4))).fill(member));
  const remarks = Math.ceil((writers.length * remarksAnHour * liveMs) / 3_600_000);
  for (let n = 0; n < remarks; n++) {
    const at = chance.between(0, 0.96) * liveMs;
    const member = chance.suiting(urn, (each) => isThere(each, at));
    if (member !== undefined) write(member, at, says.remark());
  }
  return [...lines, ...slips(writers, Math.ceil(lines.length / 60), outline, chance)];
}

/** What its author takes back. */
function slips(writers: readonly Member[], count: number, outline: Outline, chance: Chance): Line[] {
  const { liveMs, secondMs } = outline;
  const { slip } = words(chance);
  const lines: Line[] = [];
  for (let n = 0; n < count; n++) {
    const atMs = chance.between(0.02, 0.9) * liveMs;
    const seenAt = atMs + chance.between(4, 15) * secondMs;
    const by = chance.suiting(writers, (member) => isThere(member, atMs, seenAt))?.number;
    if (by !== undefined) lines.push({ atMs, by, message: slip(), deleted: { atMs: seenAt, by } });
  }
  return lines;
}
