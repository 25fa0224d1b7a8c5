/**
 * A short workshop, decided, recorded, folded and told by the engine's own rules: what stands in the document as an example is
 * what a server says.
 */
import { type CommandInput, type CommandName, commandOf } from '../../domain/catalog.ts';
import { decide } from '../../domain/decide.ts';
import type { RecordedEvent, User } from '../../domain/define.ts';
import { evolve } from '../../domain/evolve.ts';
import { emptyRoom } from '../../domain/room.ts';
import { wireError } from '../../protocol/errors.ts';
import { attendeesPage, type LooseEvent, stateView, wireEvent } from '../../protocol/wire.ts';

export interface Example {
  /** What is sent, by bare name: of commands, requests, events and the server's other messages. */
  payloads: ReadonlyMap<string, object>;
  /** What is answered, by kind (see `answers`). */
  answers: ReadonlyMap<string, object>;
}

const workshopId = 7;
const epoch = 'b7c1e2';
const began = Date.parse('2030-01-07T17:40:00Z');

const [ada, ben, cleo] = ['Ada', 'Ben', 'Cleo'].map(
  (displayName, index): User => ({
    ...{ kind: 'user', userId: index + 1, displayName, roles: [] },
    avatarUrl: `https://example.org/${displayName.toLowerCase()}.png`,
  }),
) as [User, User, User];

type Step = { [N in CommandName]: [who: User, name: N, payload: CommandInput[N]] }[CommandName];

const steps: readonly Step[] = [
  [ada, 'schedule-workshop', { title: 'Sourdough', scheduledAt: '2030-01-07T18:00:00Z', capacity: 20 }],
  [ada, 'update-workshop', { title: 'Sourdough for beginners', durationMinutes: 90 }],
  [ben, 'rsvp', {}],
  [cleo, 'rsvp', {}],
  [cleo, 'withdraw-rsvp', {}],
  [ada, 'invite-users', { userIds: [cleo.userId] }],
  [ada, 'open-lobby', {}],
  [ada, 'join', {}],
  [ben, 'join', { batch: true }],
  [cleo, 'join', { batch: true, roster: false }],
  [ada, 'start', {}],
  [ben, 'raise-hand', {}],
  [cleo, 'raise-hand', {}],
  [cleo, 'lower-hand', {}],
  [ada, 'approve-speaker', { targetUserId: ben.userId }],
  [ada, 'mute-user', { targetUserId: ben.userId }],
  [ada, 'revoke-speaker', { targetUserId: ben.userId }],
  [ada, 'promote-cohost', { targetUserId: cleo.userId }],
  [ben, 'chat', { message: 'How warm should the water be?' }],
  [cleo, 'chat', { message: 'Thirty degrees, no more.' }],
  [ada, 'demote-cohost', { targetUserId: cleo.userId }],
];

/** The version of the first thing that was said depends on what went before it. */
const later = (said: number): readonly Step[] => [
  [ben, 'delete-chat', { messageId: said }],
  [ada, 'remove-user', { targetUserId: ben.userId, reason: 'He asked for it' }],
  [ada, 'readmit-user', { targetUserId: ben.userId }],
  [cleo, 'leave', {}],
  [ada, 'end', {}],
];

export function example(): Example {
  const room = emptyRoom(workshopId);
  const told: LooseEvent[] = [];
  const payloads = new Map<string, object>();
  const answers = new Map<string, object>();

  function take([actor, name, given]: Step): void {
    const { payload, via } = commandOf(name);
    const decision = decide(room, { name, payload: payload.parse(given), actor });
    if (decision.kind !== 'append') throw new Error(`in the example ${name} appends nothing`);
    for (const { type, data } of decision.events) {
      const event = recorded(room.version + 1, { type, data, by: actor.userId });
      evolve(room, event);
      told.push(wireEvent(event, room));
    }
    if (via === 'socket' && !payloads.has(name)) payloads.set(name, { workshopId, ...given });
  }

  for (const step of steps) take(step);
  payloads.set('state', stateView(room, epoch));
  answers.set('attendees', { ok: true, ...attendeesPage(room, 0, 2) });
  answers.set('joined', {
    ...{ ok: true, version: room.version, changed: false, epoch, resumed: false, userId: ben.userId },
  });
  for (const step of later(told.find(({ type }) => type === 'chat-message')?.version ?? 0)) take(step);
  for (const event of told) {
    const { type, ...rest } = event;
    if (!payloads.has(type)) payloads.set(type, { workshopId, ...rest });
  }
  const [first, second] = told.slice(-2) as [LooseEvent, LooseEvent];
  payloads.set('events', { workshopId, from: first.version, to: second.version, events: [first, second] });
  payloads.set('attendees', { workshopId });
  payloads.set('authenticate', { token: 'eyJhbGciOiJIUzI1NiJ9.…' });
  payloads.set('error', { command: 'raise-hand', ...wireError('not_joined') });
  payloads.set('draining', { withinMs: 4_000 });
  payloads.set('token-expiring', { at: new Date(began + 3_600_000).toISOString() });
  answers.set('done', { ok: true, version: room.version, changed: true });
  answers.set('authenticated', { ok: true, expiresAt: new Date(began + 7_200_000).toISOString() });
  answers.set('refused', { ok: false, error: wireError('forbidden') });
  return { payloads, answers };
}

/** Half a minute after the one before. */
function recorded(version: number, event: Pick<RecordedEvent, 'type' | 'data' | 'by'>): RecordedEvent {
  const id = `0195f000-0000-7000-8000-${String(version).padStart(12, '0')}`;
  return { ...event, version, at: began + version * 30_000, schema: 1, eventId: id, commandId: id };
}
