/** Folding a workshop in memory, beside parsing the same events. */
import { evolveAll, type RecordedEvent } from '../src/domain/evolve.ts';
import { emptyRoom } from '../src/domain/room.ts';
import type { Figure } from './measure.ts';

export async function fold(rounds: number): Promise<Figure[]> {
  const count = 200_000;
  const lines = workshop(count).map((event) => JSON.stringify(event));
  const parsed: number[] = [];
  const folded: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let began = performance.now();
    const events = lines.map((line) => JSON.parse(line) as RecordedEvent);
    parsed.push(count / ((performance.now() - began) / 1_000));
    began = performance.now();
    evolveAll(emptyRoom(1), events);
    folded.push(count / ((performance.now() - began) / 1_000));
  }
  return [
    { name: 'parse events', unit: 'events/s', values: parsed },
    { name: 'fold events', unit: 'events/s', values: folded, beside: 'parse events' },
  ];
}

/** 2,000 people who RSVP and join, then chat with a hand up in every tenth event. */
export function workshop(count: number): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  const add = (type: string, data: unknown, by: number) =>
    events.push({
      version: events.length + 1,
      at: 1_700_000_000_000 + events.length * 10,
      eventId: `00000000-0000-7000-8000-${String(events.length).padStart(12, '0')}`,
      type,
      schema: 1,
      by,
      commandId: `00000000-0000-7000-9000-${String(events.length).padStart(12, '0')}`,
      data,
    });
  const scheduledAt = new Date(1_700_000_000_000).toISOString();
  const plan = { hostId: 1, title: 'Bench', description: null, scheduledAt, durationMinutes: 60 };
  add('workshop-scheduled', { ...plan, visibility: 'public', capacity: null }, 1);
  add('state-changed', { status: 'live' }, 1);
  const people = 2_000;
  const person = (n: number) => ({
    userId: 2 + (n % people),
    displayName: `Person ${n % people}`,
    avatarUrl: null,
  });
  for (let n = 0; n < people; n++) add('user-rsvped', person(n), 2 + n);
  for (let n = 0; n < people; n++)
    add('user-joined', { ...person(n), isHost: false, isCoHost: false, canSpeak: false }, 2 + n);
  for (let n = 0; events.length < count; n++) {
    const { userId } = person(n);
    if (n % 20 === 0) add('hand-raised', { userId }, userId);
    else if (n % 20 === 10) add('hand-lowered', { userId: person(n - 10).userId }, userId);
    else
      add(
        'chat-message',
        { ...person(n), message: `Message number ${n}, as long as such messages are.` },
        userId,
      );
  }
  return events.slice(0, count);
}
