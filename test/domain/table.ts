/** The rooms and wishes of the table in `expectations.ts`: who asks, what has happened before, and who and what is aimed at. */
import type { CommandInput, CommandName } from '../../src/domain/catalog.ts';
import type { NewEvent, User } from '../../src/domain/define.ts';
import type { Status, Visibility } from '../../src/domain/room.ts';
import * as cast from './cast.ts';
import type { Role } from './expectations.ts';

const { ana, bo, carl, cora, hanna, opened, rex, rui, sam, started, vera } = cast;

export const people: Record<Role, User> = {
  host: hanna,
  coHost: cora,
  speaker: vera,
  attendee: ana,
  rsvp: rui,
  removed: rex,
  stranger: sam,
};

/** Bo has said something and raised a hand; Carl is another co-host; Vera may speak. */
export const beginning = (visibility: Visibility): NewEvent[] => [
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

export const until: Record<Status, NewEvent[]> = {
  scheduled: [],
  lobby: [opened, ...onTheFloor],
  live: [opened, ...onTheFloor, started],
  ended: [opened, ...onTheFloor, started, cast.ended],
  cancelled: [opened, ...onTheFloor, cast.cancelled],
};

const messageId = beginning('public').length + 2;
const at = ({ userId }: User) => ({ targetUserId: userId });

/** Who and what the commands are aimed at. */
export const aim: { [N in CommandName]: CommandInput[N] } = {
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

export const letters: Record<string, string> = {
  forbidden: 'f',
  invalid_state: 's',
  not_joined: 'j',
  not_a_member: 'm',
  removed: 'r',
  not_found: 'n',
  target_not_found: 't',
};
