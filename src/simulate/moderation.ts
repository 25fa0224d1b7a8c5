/** Co-hosts who come and go, hecklers who are warned and removed, and one who is removed by mistake. */
import type { Act, Outline } from './acts.ts';
import type { Chance } from './chance.ts';
import type { Line } from './chat.ts';
import { endVisits, isThere, type Member, type People } from './people.ts';
import { words } from './words.ts';

/** One of those who may moderate through all of that time and are there; the host always is. */
export function moderatorAt(people: People, from: number, chance: Chance, to = from): Member {
  const mayModerate = ({ terms }: Member) => terms.some((term) => term.from < from && to < term.to);
  return chance.of(people.filter((member) => mayModerate(member) && isThere(member, from, to)));
}

/** Shortens the visits of who is removed. */
export function moderation(outline: Outline, people: People, chance: Chance): { acts: Act[]; lines: Line[] } {
  const acts = coHosting(outline, people, chance.branch('co-hosts'));
  const lines: Line[] = [];
  for (const heckler of people.filter(({ part }) => part === 'heckler')) {
    const incident = heckling(outline, people, heckler, chance.branch(`heckler ${heckler.number}`));
    acts.push(...incident.acts);
    lines.push(...incident.lines);
  }
  return { acts: [...acts, ...mixUp(outline, people, chance.branch('mix-up'))], lines };
}

function coHosting({ lobbyMs, liveMs }: Outline, people: People, chance: Chance): Act[] {
  const acts: Act[] = [];
  const host = 1;
  const coHosts = people.filter(({ part }) => part === 'co-host');
  for (const { number: target, terms } of coHosts) {
    const atMs = -chance.between(0.4, 0.6) * lobbyMs;
    terms.push({ from: atMs, to: liveMs });
    acts.push({ atMs, by: host, name: 'promote-cohost', target });
  }
  // One has to go, and hands over to someone from the audience.
  const going = coHosts.length > 1 ? coHosts.at(-1) : undefined;
  const handOverAt = 0.55 * liveMs;
  const coming = people.find(
    (member) =>
      member.part === 'attendee' && member.visits.length === 1 && isThere(member, 0.3 * liveMs, liveMs - 1),
  );
  if (coming !== undefined && people.length > 20) {
    const atMs = handOverAt - chance.between(0.01, 0.05) * liveMs;
    coming.terms.push({ from: atMs, to: liveMs });
    acts.push({ atMs, by: host, name: 'promote-cohost', target: coming.number });
  }
  if (going !== undefined) {
    going.terms = going.terms.map(({ from }) => ({ from, to: handOverAt }));
    going.visits = endVisits(going.visits, 0.7 * liveMs, 'leaves');
    acts.push({ atMs: handOverAt, by: host, name: 'demote-cohost', target: going.number });
  }
  return acts;
}

/** Writes what nobody wants to read, is warned, muted, goes on, is removed, and does not get in again. */
function heckling({ liveMs, secondMs }: Outline, people: People, heckler: Member, chance: Chance) {
  const { heckle } = words(chance);
  const { number: by } = heckler;
  let atMs = chance.between(0.22, 0.6) * liveMs;
  const moderator = moderatorAt(people, atMs, chance, atMs + 90 * secondMs).number;
  const pass = (least: number, most: number) => {
    atMs += chance.between(least, most) * secondMs;
    return atMs;
  };
  const acts: Act[] = [];
  const lines: Line[] = [];
  const writes = () => {
    const line: Line = { atMs: pass(4, 12), by, message: heckle() };
    lines.push(line);
    return line;
  };
  const reason = 'Rude messages after a warning';

  const first = [writes(), writes(), ...(chance.happens(0.5) ? [writes()] : [])];
  for (const line of first) line.deleted = { atMs: pass(2, 5), by: moderator };
  lines.push({
    atMs: pass(2, 6),
    by: moderator,
    message: `@${heckler.displayName} please keep it friendly. This is a warning.`,
  });
  acts.push({ atMs: pass(1, 3), by: moderator, name: 'mute-user', target: by });
  const last = writes();
  const removedAt = pass(4, 10);
  acts.push({ atMs: removedAt, by: moderator, name: 'remove-user', target: by, reason });
  last.deleted = { atMs: pass(2, 5), by: moderator };
  acts.push({ atMs: pass(10, 30), by, name: 'join', device: 0, refused: 'removed' });
  heckler.visits = endVisits(heckler.visits, removedAt, 'removed');
  return { acts, lines };
}

/** In a large room a click hits the wrong name once. */
function mixUp({ liveMs, secondMs }: Outline, people: People, chance: Chance): Act[] {
  const atMs = chance.between(0.62, 0.68) * liveMs;
  const backAt = atMs + 25 * secondMs;
  const candidates = people.filter(
    (member) =>
      member.part === 'attendee' &&
      member.terms.length === 0 &&
      member.visits.length === 1 &&
      isThere(member, atMs - 60 * secondMs, backAt + 60 * secondMs),
  );
  if (people.length < 60 || candidates.length === 0) return [];
  const wronged = chance.of(candidates);
  const { number: target } = wronged;
  const by = moderatorAt(people, atMs, chance, backAt).number;
  const before = endVisits(wronged.visits, atMs, 'removed');
  const after = wronged.visits.map((visit) => ({
    ...{ ...visit, from: backAt },
    gaps: visit.gaps.filter(({ from }) => from > backAt),
  }));
  wronged.visits = [...before, ...after];
  return [
    { atMs, by, name: 'remove-user', target, reason: 'Wrong name, sorry' },
    { atMs: atMs + 12 * secondMs, by, name: 'readmit-user', target },
  ];
}
