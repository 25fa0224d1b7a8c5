/** A workshop's life from a seed: what people would do, as far as the domain lets them. */
import { randomUUID } from 'node:crypto';
import { type CommandName, commandOf, eventOf, isEventType } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Actor, User } from '../../src/domain/define.ts';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom } from '../../src/domain/room.ts';

const host = 1;
const people = 12;

/** Numbers in [0, 1) that depend on the seed alone. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The appends of one workshop, each one command's events: about as many as wanted, fewer where it is cancelled. */
export function story(seed: number, wanted = 300): RecordedEvent[][] {
  const chance = random(seed);
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(chance() * list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  };
  const someone = () => 1 + Math.floor(chance() * people);
  const room = emptyRoom(0);
  const appends: RecordedEvent[][] = [];
  let at = Date.parse('2026-03-01T10:00:00.000Z') + seed;

  function wish(name: CommandName, userId: number, payload: unknown): void {
    at += Math.floor(chance() * 30_000);
    const actor: Actor = user(userId);
    const decision = decide(room, { name, payload: commandOf(name).payload.parse(payload), actor });
    if (decision.kind !== 'append') return;
    const append = decision.events.map(({ type, data }) => {
      if (!isEventType(type)) throw new Error(`no event ${type}`);
      const { schema } = eventOf(type);
      const event = {
        ...{ version: room.version + 1, at, eventId: randomUUID(), type, schema },
        ...{ by: userId, commandId: randomUUID(), data: JSON.parse(JSON.stringify(data)) },
      };
      evolve(room, event);
      return event;
    });
    appends.push(append);
  }

  wish('schedule-workshop', host, {
    title: `Workshop "${seed}" \\ {with, commas}`,
    scheduledAt: '2026-03-01T12:00:00+01:00',
    visibility: chance() < 0.5 ? 'public' : 'private',
    capacity: chance() < 0.5 ? 8 : null,
  });
  const steps: [number, CommandName][] = [
    [wanted * 0.2, 'open-lobby'],
    [wanted * 0.35, chance() < 0.15 ? 'cancel' : 'start'],
    [wanted * 0.9, 'end'],
  ];
  for (let count = 0; appends.length < wanted && count < wanted * 20; count++) {
    const step = steps[0];
    if (step !== undefined && appends.length >= step[0]) {
      steps.shift();
      wish(step[1], host, {});
    }
    const moderator = chance() < 0.8 ? host : pick([host, ...room.coHosts]);
    const target = { targetUserId: someone() };
    const [name, by, payload] = pick<[CommandName, number, unknown]>([
      ['invite-users', moderator, { userIds: [someone(), someone()] }],
      ['rsvp', someone(), {}],
      ['rsvp', someone(), {}],
      ['withdraw-rsvp', someone(), {}],
      ...Array.from({ length: 5 }, (): [CommandName, number, unknown] => ['join', someone(), {}]),
      ['leave', someone(), {}],
      ['leave', someone(), {}],
      ['raise-hand', someone(), {}],
      ['raise-hand', someone(), {}],
      ['lower-hand', someone(), {}],
      ['lower-hand', moderator, target],
      ['approve-speaker', moderator, target],
      ['revoke-speaker', moderator, target],
      ['promote-cohost', host, target],
      ['demote-cohost', host, target],
      ['mute-user', moderator, target],
      ['remove-user', moderator, { ...target, reason: chance() < 0.5 ? 'noise' : undefined }],
      ['readmit-user', moderator, target],
      ['update-workshop', host, { title: `Title ${count}`, capacity: pick([null, 8, 20]) }],
      ['chat', someone(), { message: `Straße "${count}" \\ {a,b} NULL\n😀` }],
      ['chat', someone(), { message: 'NULL' }],
      ['chat', host, { message: String(count) }],
      ['withdraw-message', host, { messageId: pick([...room.authors.keys(), 1]) }],
    ]);
    wish(name, by, payload);
  }
  return appends;
}

function user(userId: number): User {
  return {
    kind: 'user',
    userId,
    displayName: `Person ${userId}`,
    avatarUrl: userId % 2 === 0 ? `https://example.org/${userId}.png` : null,
    roles: [],
  };
}

/** An event as a log would hold it; its version is where the log puts it. */
export function event(type: string, data: unknown, at: number, by: number | 'system' = 1): RecordedEvent {
  return { version: 0, at, eventId: randomUUID(), type, schema: 1, by, commandId: randomUUID(), data };
}

/** A public workshop of user 1. */
export const scheduledEvent = (at: number): RecordedEvent =>
  event(
    'workshop-scheduled',
    {
      ...{ hostId: 1, title: 'Title', description: null, scheduledAt: '2026-05-01T10:00:00.000Z' },
      ...{ durationMinutes: 60, visibility: 'public', capacity: null },
    },
    at,
  );
