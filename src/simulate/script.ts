/**
 * The script of a simulated workshop: who does what and when, as plain data. It is planned before anything is played: the same
 * seed and options give the same script, which knows no server, no socket and no clock.
 *
 *   -lead … -lobby    the host schedules and invites, people RSVP, some take it back
 *   -lobby … 0        the lobby: the first ones arrive, co-hosts are promoted
 *   0 … minutes       live: chat, hands, drops, a heckler; late arrivals, early and late leavers
 */
import type { Act, PlanOptions } from './acts.ts';
import { castOf, type Part } from './cast.ts';
import { chance } from './chance.ts';
import { chatLines, type Line } from './chat.ts';
import { handActs } from './hands.ts';
import { lifecycle, membership } from './membership.ts';
import { moderation } from './moderation.ts';
import { outlineOf } from './outline.ts';
import { visitActs } from './visits.ts';
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
  const cast = castOf(outline, luck.branch('cast'));
  // Before anything else is planned: who is removed is not there any more.
  const moderated = moderation(outline, cast, luck.branch('moderation'));
  const acts = [
    ...lifecycle(outline),
    ...membership(outline, cast, luck.branch('membership')),
    ...cast.flatMap(visitActs),
    ...moderated.acts,
    ...handActs(outline, cast, luck.branch('hands')),
    ...chatActs([...moderated.lines, ...chatLines(outline, cast, luck.branch('chat'))]),
  ].map((act) => ({ ...act, atMs: Math.round(act.atMs) }));
  acts.sort((one, other) => one.atMs - other.atMs);
  return {
    options,
    title: options.title ?? words(luck.branch('title')).title(),
    people: cast.map(({ number, displayName, part }) => ({ number, displayName, part })),
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
