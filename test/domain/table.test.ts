/** Every command × status × role, in public and private workshops, against the table in `expectations.ts`. */
import { describe, expect, test } from 'vitest';
import { type CommandInput, type CommandName, commandNames } from '../../src/domain/catalog.ts';
import type { Decision, NewEvent, User } from '../../src/domain/define.ts';
import { type Status, statuses, type Visibility } from '../../src/domain/room.ts';
import * as cast from './cast.ts';
import { expected, expectedInPrivate, type Role, type Row, roles } from './expectations.ts';
import { decideOn, roomAfter } from './given.ts';

const { ana, bo, carl, cora, hanna, opened, rex, rui, sam, started, vera } = cast;

const people: Record<Role, User> = {
  host: hanna,
  coHost: cora,
  speaker: vera,
  attendee: ana,
  rsvp: rui,
  removed: rex,
  stranger: sam,
};

/** Bo has said something and raised a hand; Carl is another co-host; Vera may speak. */
const beginning = (visibility: Visibility): NewEvent[] => [
  cast.scheduled({ visibility }),
  ...[cora, carl, vera, ana, bo, rui, rex].flatMap((who) => [cast.invited(who), cast.rsvped(who)]),
  ...[cora, carl, vera].map((who) => cast.promoted(who)),
  cast.demoted(vera),
  cast.joined(hanna),
  cast.joined(cora, { isCoHost: true }),
  cast.joined(vera, { canSpeak: true }),
  cast.joined(ana),
  cast.joined(bo),
  cast.removed(rex),
];
const onTheFloor = [cast.said(bo, 'Hello'), cast.raised(bo)];

const until: Record<Status, NewEvent[]> = {
  scheduled: [],
  lobby: [opened, ...onTheFloor],
  live: [opened, ...onTheFloor, started],
  ended: [opened, ...onTheFloor, started, cast.ended],
  cancelled: [opened, ...onTheFloor, cast.cancelled],
};

const messageId = beginning('public').length + 2;
const at = ({ userId }: User) => ({ targetUserId: userId });

/** Who and what the commands are aimed at. */
const aim: { [N in CommandName]: CommandInput[N] } = {
  'schedule-workshop': { title: 'Drawing birds', scheduledAt: cast.scheduledAt },
  'update-workshop': { title: 'Drawing boats' },
  'open-lobby': {},
  start: {},
  end: {},
  cancel: {},
  rsvp: {},
  'withdraw-rsvp': {},
  'invite-users': { userIds: [99] },
  join: {},
  leave: {},
  'drop-user': { userId: bo.userId },
  'rejoin-user': { userId: rui.userId, displayName: rui.displayName, avatarUrl: null },
  'remove-user': at(bo),
  'readmit-user': at(rex),
  'promote-cohost': at(bo),
  'demote-cohost': at(carl),
  'raise-hand': {},
  'lower-hand': at(bo),
  'approve-speaker': at(bo),
  'revoke-speaker': at(vera),
  'mute-user': at(bo),
  chat: { message: 'Hello' },
  'delete-chat': { messageId },
  'withdraw-message': { messageId },
};

const letters: Record<string, string> = {
  forbidden: 'f',
  invalid_state: 's',
  not_joined: 'j',
  not_a_member: 'm',
  removed: 'r',
  not_found: 'n',
  target_not_found: 't',
};

function letterOf(decision: Decision): string {
  if (decision.kind === 'append') return '+';
  if (decision.kind === 'unchanged') return '=';
  return letters[decision.code] ?? decision.code;
}

function rowOf(name: CommandName, visibility: Visibility): Row {
  const rooms = statuses.map((status) => roomAfter(...beginning(visibility), ...until[status]));
  const answers = (role: Role) =>
    rooms.map((room) => letterOf(decideOn(room, name, aim[name], people[role]))).join('');
  return Object.fromEntries(roles.map((role) => [role, answers(role)])) as Row;
}

describe('what each command answers to every role in every status', () => {
  test.each(commandNames)('%s in a public workshop', (name) => {
    expect(rowOf(name, 'public')).toEqual(expected[name]);
  });

  test.each(commandNames)('%s in a private workshop', (name) => {
    expect(rowOf(name, 'private')).toEqual(expectedInPrivate(name));
  });

  test.each(commandNames)('%s is not_found where there is no workshop, unless it schedules one', (name) => {
    for (const role of roles)
      expect(letterOf(decideOn(roomAfter(), name, aim[name], people[role]))).toBe(
        name === 'schedule-workshop' ? '+' : 'n',
      );
  });
});
