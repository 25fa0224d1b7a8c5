/** From scheduling to the end, and who says before that they will come. */
import type { Act } from './acts.ts';
import type { Cast } from './cast.ts';
import type { Chance } from './chance.ts';
import type { Outline } from './outline.ts';

const host = 1;

export function lifecycle({ leadMs, lobbyMs, liveMs }: Outline): Act[] {
  return [
    { atMs: -leadMs, by: host, name: 'schedule-workshop' },
    { atMs: -lobbyMs, by: host, name: 'open-lobby' },
    { atMs: 0, by: host, name: 'start' },
    { atMs: liveMs, by: host, name: 'end' },
  ];
}

/** Everyone but the host RSVPs, some at the door, or is invited; some of those who do not come say so. */
export function membership({ leadMs, lobbyMs, secondMs }: Outline, cast: Cast, chance: Chance): Act[] {
  const acts: Act[] = [];
  const invited: number[] = [];
  const opensAt = -leadMs + 5 * secondMs;
  for (const { number: by, part, visits } of cast) {
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
