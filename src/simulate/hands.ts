/** The queue of raised hands: who asks to speak, how long each waits, and what becomes of it. */
import { type Act, clamp, type Outline } from './acts.ts';
import type { Chance } from './chance.ts';
import { moderatorAt } from './moderation.ts';
import { isThere, type Member, type People } from './people.ts';

/** How many of a hundred who come ask to speak. */
const share = 0.18;

export function handActs(outline: Outline, people: People, chance: Chance): Act[] {
  const { liveMs, secondMs } = outline;
  const wanted = Math.max(1, Math.round(share * outline.attendees));
  const turnMs = clamp((0.8 * liveMs) / wanted, 15 * secondMs, 150 * secondMs);
  const acts: Act[] = [];
  /** Until when the floor is taken. */
  let takenUntil = 0;

  for (const { member, at } of raises(outline, people, wanted, chance)) {
    const { number: target } = member;
    acts.push({ atMs: at, by: target, name: 'raise-hand' });
    const fate = chance.next();
    const soon = at + secondMs * chance.between(6, 20);
    const when = fate < 0.18 ? soon + chance.exponential(20 * secondMs) : Math.max(soon, takenUntil);
    // Who is gone by then took the hand along; at the very end hands stay up.
    if (when > 0.96 * liveMs || !isThere(member, at, when)) continue;
    const moderator = moderatorAt(people, when, chance).number;
    if (fate < 0.12) acts.push({ atMs: when, by: target, name: 'lower-hand' });
    else if (fate < 0.18) acts.push({ atMs: when, by: moderator, name: 'lower-hand', target });
    else {
      const turn = clamp(turnMs * Math.exp(chance.normal(-0.1, 0.45)), 8 * secondMs, 3 * turnMs);
      const until = Math.min(when + turn, 0.98 * liveMs);
      takenUntil = until + chance.between(2, 8) * secondMs;
      acts.push({ atMs: when, by: moderator, name: 'approve-speaker', target });
      if (chance.happens(0.15)) {
        const atMs = when + (until - when) * chance.between(0.2, 0.8);
        acts.push({ atMs, by: moderatorAt(people, atMs, chance).number, name: 'mute-user', target });
      }
      if (!chance.happens(0.8) || !isThere(member, when, until)) continue;
      acts.push({
        atMs: until,
        by: moderatorAt(people, until, chance).number,
        name: 'revoke-speaker',
        target,
      });
    }
  }
  return acts;
}

/** Each asks once, most of them when the host has asked for questions. In order of time. */
function raises({ rounds, liveMs, secondMs }: Outline, people: People, wanted: number, chance: Chance) {
  const found: { member: Member; at: number }[] = [];
  const candidates = people.filter(({ part, terms }) => part === 'attendee' && terms.length === 0);
  const asked = new Set<number>();
  // Who is not there at the time drawn is passed over: more are drawn than wanted.
  for (let draw = 0; draw < 6 * wanted && found.length < wanted; draw++) {
    const at = chance.happens(0.75)
      ? chance.of(rounds) + chance.exponential(25 * secondMs)
      : chance.between(0.06, 0.9) * liveMs;
    const member = chance.suiting(candidates, (each) => !asked.has(each.number) && isThere(each, at));
    if (member === undefined) continue;
    asked.add(member.number);
    found.push({ member, at });
  }
  return found.sort((one, other) => one.at - other.at);
}
