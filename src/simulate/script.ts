/**
 * The script of a simulated workshop: who does what and when, as plain data. It is planned before anything is played: the same
 * seed and options give the same script, which knows no server, no socket and no clock.
 *
 *   -lead … -lobby    the host schedules and invites, people RSVP, some take it back
 *   -lobby … 0        the lobby: the first ones arrive, co-hosts are promoted
 *   0 … minutes       live: chat, hands, drops, a heckler; late arrivals, early and late leavers
 */
import { type Act, type Outline, outlineOf, type PlanOptions } from './acts.ts';
import { type Chance, chance } from './chance.ts';
import { chatLines, type Line } from './chat.ts';
import { handActs } from './hands.ts';
import { moderation } from './moderation.ts';
import { type Part, type People, peopleOf, visitActs } from './people.ts';
import { words } from './words.ts';

export interface Script {
  options: PlanOptions;
  title: string;
  /** The host is number 1. */
  people: { number: number; displayName: string; part: Part }[];
  /** In the order of their times; those of one time in the order in which they are done. */
  acts: Act[];
  /** The times of the first act and of the last one, which ends the workshop. */
  fromMs: number;
  untilMs: number;
}

export function planWorkshop(options: PlanOptions): Script {
  const luck = chance(options.seed);
  const outline = outlineOf(options, luck.branch('outline'));
  const people = peopleOf(outline, luck.branch('cast'));
  // Before anything else is planned: who is removed is not there any more.
  const moderated = moderation(outline, people, luck.branch('moderation'));
  const acts = [
    ...lifecycle(outline),
    ...membership(outline, people, luck.branch('membership')),
    ...people.flatMap(visitActs),
    ...moderated.acts,
    ...handActs(outline, people, luck.branch('hands')),
    ...chatActs([...moderated.lines, ...chatLines(outline, people, luck.branch('chat'))]),
  ].map((act) => ({ ...act, atMs: Math.round(act.atMs) }));
  acts.sort((one, other) => one.atMs - other.atMs);
  return {
    options,
    title: options.title ?? words(luck.branch('title')).title(),
    people: people.map(({ number, displayName, part }) => ({ number, displayName, part })),
    acts,
    fromMs: -outline.leadMs,
    untilMs: outline.liveMs,
  };
}

function chatActs(lines: readonly Line[]): Act[] {
  return lines.flatMap(({ atMs, by, message, deleted }, line): Act[] => [
    { atMs, by, name: 'chat', line, message },
    ...(deleted === undefined ? [] : [{ ...deleted, name: 'delete-chat' as const, line, author: by }]),
  ]);
}

const host = 1;

function lifecycle({ leadMs, lobbyMs, liveMs }: Outline): Act[] {
  return [
    { atMs: -leadMs, by: host, name: 'schedule-workshop' },
    { atMs: -lobbyMs, by: host, name: 'open-lobby' },
    { atMs: 0, by: host, name: 'start' },
    { atMs: liveMs, by: host, name: 'end' },
  ];
}

/** Everyone but the host RSVPs, some at the door, or is invited; some of those who do not come say so. */
function membership({ leadMs, lobbyMs, secondMs }: Outline, people: People, chance: Chance): Act[] {
  const acts: Act[] = [];
  const invited: number[] = [];
  const opensAt = -leadMs + 5 * secondMs;
  for (const { number: by, part, visits } of people) {
    if (part === 'host') continue;
    const from = visits[0]?.from ?? 0;
    if (part === 'attendee' && chance.happens(0.1)) {
      invited.push(by);
      continue;
    }
    const inTime = Math.min(-lobbyMs, from - 4 * secondMs);
    const atTheDoor = from > -lobbyMs && chance.happens(0.15);
    const atMs = atTheDoor ? from - chance.between(2, 12) * secondMs : chance.between(opensAt, inTime);
    acts.push({ atMs, by, name: 'rsvp' });
    if (part === 'no-show' && chance.happens(0.4))
      acts.push({ atMs: chance.between(atMs + secondMs, -secondMs), by, name: 'withdraw-rsvp' });
  }
  if (invited.length > 0)
    acts.push({ atMs: -leadMs + 3 * secondMs, by: host, name: 'invite-users', targets: invited });
  return acts;
}
