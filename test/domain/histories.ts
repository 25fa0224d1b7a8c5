/** Random workshops: wishes of a small cast, done one after the other as far as the domain accepts them. */
import fc from 'fast-check';
import { type CommandName, commandOf } from '../../src/domain/catalog.ts';
import { type Command, decide } from '../../src/domain/decide.ts';
import type { Actor, User } from '../../src/domain/define.ts';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom, type Room } from '../../src/domain/room.ts';
import { admin, ana, bo, cora, hanna, rui, sam, scheduledAt, system } from './cast.ts';
import { begin, recorded, workshopId } from './given.ts';

const people: readonly User[] = [hanna, cora, ana, bo, rui, sam, admin];
const person = fc.constantFrom(...people);
const minutes = (min: number, max: number) => fc.integer({ min, max });

const parsed = (name: CommandName, input: unknown, actor: Actor): Command => ({
  name,
  payload: commandOf(name).payload.parse(input),
  actor,
});

/** A wish without payload, by anyone. */
const plain = (name: CommandName) => person.map((actor) => parsed(name, {}, actor));
/** Mostly by the host: from others most of it is refused, and refusals make no history. */
const moderator = fc.oneof(
  { weight: 3, arbitrary: fc.constant<User>(hanna) },
  { weight: 2, arbitrary: person },
);
const aimed = (name: CommandName, target = person) =>
  fc.tuple(moderator, target).map(([actor, { userId }]) => parsed(name, { targetUserId: userId }, actor));
const deletion = (name: CommandName) =>
  fc.tuple(person, minutes(1, 40)).map(([actor, messageId]) => parsed(name, { messageId }, actor));

const wishes: Record<CommandName, fc.Arbitrary<Command>> = {
  'schedule-workshop': person.map((actor) =>
    parsed('schedule-workshop', { title: 'Again', scheduledAt }, actor),
  ),
  'update-workshop': fc
    .tuple(moderator, fc.option(minutes(1, 3)), fc.constantFrom('Birds', 'Boats'))
    .map(([actor, capacity, title]) => parsed('update-workshop', { capacity, title }, actor)),
  'open-lobby': fc.constantFrom<Actor>(hanna, cora, system).map((actor) => parsed('open-lobby', {}, actor)),
  start: plain('start'),
  end: plain('end'),
  cancel: plain('cancel'),
  rsvp: plain('rsvp'),
  'withdraw-rsvp': plain('withdraw-rsvp'),
  'invite-users': fc
    .tuple(person, fc.array(person, { minLength: 1, maxLength: 4 }))
    .map(([actor, users]) => parsed('invite-users', { userIds: users.map(({ userId }) => userId) }, actor)),
  join: plain('join'),
  leave: plain('leave'),
  'drop-user': person.map(({ userId }) => parsed('drop-user', { userId }, system)),
  'rejoin-user': person.map(({ userId, displayName, avatarUrl }) =>
    parsed('rejoin-user', { userId, displayName, avatarUrl }, system),
  ),
  'remove-user': aimed('remove-user'),
  'readmit-user': aimed('readmit-user'),
  'promote-cohost': aimed('promote-cohost'),
  'demote-cohost': aimed('demote-cohost', fc.constantFrom<User>(cora, cora, ana, bo)),
  'raise-hand': plain('raise-hand'),
  'lower-hand': fc
    .tuple(person, fc.option(person, { nil: undefined }))
    .map(([actor, target]) => parsed('lower-hand', { targetUserId: target?.userId }, actor)),
  'approve-speaker': aimed('approve-speaker'),
  'revoke-speaker': aimed('revoke-speaker'),
  'mute-user': aimed('mute-user'),
  chat: person.map((actor) => parsed('chat', { message: 'hello' }, actor)),
  'delete-chat': deletion('delete-chat'),
  'withdraw-message': deletion('withdraw-message'),
};

/** Any command; those more often that fill a room, and the ends seldom, or histories would be short. */
const weights: Partial<Record<CommandName, number>> = {
  rsvp: 8,
  join: 10,
  'raise-hand': 6,
  chat: 6,
  'delete-chat': 3,
  'withdraw-message': 3,
  'promote-cohost': 4,
  'demote-cohost': 4,
  'invite-users': 3,
  start: 3,
  'approve-speaker': 3,
  end: 1,
  cancel: 1,
};
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  ...Object.entries(wishes).map(([name, arbitrary]) => ({
    weight: weights[name as CommandName] ?? 2,
    arbitrary,
  })),
);

/** Everyone's wish to come in: what the seats depend on most. */
export const everyoneJoins: readonly Command[] = people.map((who) => parsed('join', {}, who));

export interface Story {
  events: RecordedEvent[];
  /** The room at every version, from 0 on; each a copy of its own. */
  rooms: Room[];
  /** The wishes, done or not. */
  commands: Command[];
}

/** What came about where these commands were handled one after the other, some of them in the same millisecond. */
export function play(commands: readonly Command[]): Story {
  const room = emptyRoom(workshopId);
  const story: Story = { events: [], rooms: [structuredClone(room)], commands: [] };
  commands.forEach((wish, index) => {
    const command = aimedAtAMessage(wish, room);
    story.commands.push(command);
    const decision = decide(room, command);
    if (decision.kind !== 'append') return;
    const at = Math.max(room.at, begin + Math.floor(index / 2) * 60_000);
    for (const event of decision.events) {
      const next = recorded(event, room.version + 1, at);
      evolve(room, next);
      story.events.push(next);
      story.rooms.push(structuredClone(room));
    }
  });
  return story;
}

/** Versions taken at random are seldom those of messages: deletions are aimed at one that there is. */
function aimedAtAMessage(command: Command, room: Room): Command {
  if (command.name !== 'delete-chat' && command.name !== 'withdraw-message') return command;
  const { messageId } = commandOf(command.name).payload.parse(command.payload) as { messageId: number };
  const messages = [...room.authors.keys()];
  const found = messages[messageId % messages.length];
  return found === undefined ? command : { ...command, payload: { messageId: found } };
}

const scheduling = fc
  .record({
    visibility: fc.constantFrom('public', 'private'),
    capacity: fc.option(minutes(1, 3)),
  })
  .map((change) => parsed('schedule-workshop', { title: 'Birds', scheduledAt, ...change }, hanna));

/** The beginning that makes the rest worth while: people who may come, and a workshop that runs. */
const arrival = [
  parsed('invite-users', { userIds: [cora, ana, bo, rui].map(({ userId }) => userId) }, hanna),
  parsed('promote-cohost', { targetUserId: cora.userId }, hanna),
  parsed('start', {}, hanna),
  ...[hanna, cora, ana, bo].map((who) => parsed('join', {}, who)),
];

export const anyStory: fc.Arbitrary<Story> = fc
  .tuple(scheduling, fc.boolean(), fc.array(anyCommand, { minLength: 5, maxLength: 60, size: 'max' }))
  .map(([first, arrives, rest]) => play([first, ...(arrives ? arrival : []), ...rest]));
