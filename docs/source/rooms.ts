/**
 * What commands do, found by asking: every command is decided for every kind of person in rooms of every status, and what it
 * appends and refuses is noted. So the reference names the events and refusals that there are, and not those that were meant.
 */
import { type CommandName, commandOf, eventOf, isEventType } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import { type NewEvent, type RefusalCode, refusalCodes, type User } from '../../src/domain/define.ts';
import { evolve } from '../../src/domain/evolve.ts';
import { canHappen } from '../../src/domain/machine.ts';
import { emptyRoom, type Room, type Status, statuses } from '../../src/domain/room.ts';
import { samplesOf } from './samples.ts';

/** The people of the rooms, by user id. */
export const people = {
  host: 1,
  coHost: 2,
  speaker: 3,
  raised: 4,
  away: 5,
  removed: 6,
  invited: 7,
  stranger: 8,
};

const names: Record<number, string> = Object.fromEntries(
  Object.entries(people).map(([name, userId]) => [userId, name]),
);

export interface Conduct {
  /** Types of the events that it may append, in the order in which it appends them. */
  appends: string[];
  /** In the order in which the first one answers. */
  refusals: RefusalCode[];
  statuses: Status[];
}

export function conductOf(name: CommandName): Conduct {
  const appends = new Set<string>();
  const refusals = new Set<RefusalCode>();
  const { payload: schema, via } = commandOf(name);
  const actors = via === 'system' ? [{ kind: 'system' as const }] : Object.values(people).map(user);
  for (const room of rooms())
    for (const actor of actors)
      for (const sample of samplesOf(schema, candidates(room))) {
        const decision = decide(room, { name, payload: schema.parse(sample), actor });
        if (decision.kind === 'append') for (const event of decision.events) appends.add(event.type);
        if (decision.kind === 'refused') refusals.add(decision.code);
      }
  if (appends.size === 0)
    throw new Error(`no sample room shows what ${name} appends: add one to docs/source/rooms.ts`);
  return {
    appends: [...appends],
    refusals: refusalCodes.filter((refusal) => refusals.has(refusal)),
    statuses: statuses.filter((status) => canHappen(status, name)),
  };
}

function user(userId: number): User {
  const roles = userId === people.stranger ? (['admin'] as const) : [];
  return { kind: 'user', userId, displayName: names[userId] ?? '', avatarUrl: null, roles };
}

/** Ids that mean something in the room: people, and the messages that were written. */
function candidates(room: Room): number[] {
  return [...new Set([...Object.values(people), ...room.authors.keys()])];
}

function rooms(): Room[] {
  const made = [emptyRoom(1)];
  for (const capacity of [null, 1])
    for (const visibility of ['public', 'private'] as const)
      for (const status of statuses) made.push(roomIn(status, visibility, capacity));
  return made;
}

function roomIn(status: Status, visibility: 'public' | 'private', capacity: number | null): Room {
  const { host, coHost, speaker, raised, away, removed, invited } = people;
  const by = host;
  const came = (userId: number) =>
    event('user-joined', {
      userId,
      displayName: names[userId],
      avatarUrl: null,
      isHost: userId === host,
      isCoHost: userId === coHost,
      canSpeak: userId <= speaker,
    });
  const events = [
    event('workshop-scheduled', {
      ...{ hostId: host, title: 'A sample', description: null, scheduledAt: '2026-01-01T00:00:00.000Z' },
      ...{ durationMinutes: null, visibility, capacity },
    }),
    ...[coHost, speaker, raised, away, removed, invited].map((userId) => event('user-invited', { userId })),
    ...[coHost, speaker, raised, away, removed].map((userId) =>
      event('user-rsvped', { userId, displayName: names[userId], avatarUrl: null }),
    ),
    event('cohost-promoted', { userId: coHost, by }),
    event('speaker-approved', { userId: speaker, by }),
    event('user-removed', { userId: removed, by }),
    ...[host, coHost, speaker, raised].map(came),
  ];
  const floor = [
    event('hand-raised', { userId: raised }),
    event('chat-message', { userId: raised, displayName: 'raised', avatarUrl: null, message: 'Hello' }),
  ];
  const became = (to: Status) => event('state-changed', { status: to });
  const steps: Record<Status, NewEvent[]> = {
    scheduled: [],
    lobby: [became('lobby'), ...floor],
    live: [became('live'), ...floor],
    ended: [became('live'), ...floor, became('ended')],
    cancelled: [became('lobby'), ...floor, became('cancelled')],
  };
  return folded([...events, ...steps[status]]);
}

/** An event whose data its own schema has taken. */
function event(type: string, data: unknown): NewEvent {
  if (!isEventType(type)) throw new Error(`there is no event ${type}`);
  return { type, data: eventOf(type).data.parse(data) };
}

function folded(events: readonly NewEvent[]): Room {
  const room = emptyRoom(1);
  for (const [index, { type, data }] of events.entries()) {
    const version = index + 1;
    const place = {
      version,
      at: version,
      eventId: String(version),
      schema: 1,
      by: 1,
      commandId: String(version),
    };
    evolve(room, { ...place, type, data });
  }
  return room;
}
