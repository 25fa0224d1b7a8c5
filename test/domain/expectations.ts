/**
 * What the contract answers to every command, in every status, to everyone: the specification as a table.
 *
 * A row is a role, its five letters are the statuses scheduled, lobby, live, ended, cancelled:
 * `+` appends · `=` changes nothing · `f` forbidden · `s` invalid_state · `j` not_joined · `m` not_a_member ·
 * `r` removed · `n` not_found · `t` target_not_found
 *
 * Host, co-host, speaker and attendee are in the room until the end; `rsvp` said they would come and did not. Commands with
 * a target are aimed at someone whom they change: see `aim` in `table.ts`.
 */
import type { CommandName } from '../../src/domain/catalog.ts';

export const roles = ['host', 'coHost', 'speaker', 'attendee', 'rsvp', 'removed', 'stranger'] as const;
export type Role = (typeof roles)[number];
export type Row = Record<Role, string>;

const outside = { removed: 'rrrrr', stranger: 'mmmmm' };
const nobody = { speaker: 'fffff', attendee: 'fffff', rsvp: 'fffff', ...outside };

/** The host alone, or host and co-hosts. */
const byHost = (host: string): Row => ({ host, coHost: 'fffff', ...nobody });
const byModerators = (moderator: string): Row => ({ host: moderator, coHost: moderator, ...nobody });
/** Everyone who is in the room; who has RSVP'd alone is not. */
const byPresent = (present: string, rsvp: string): Row => ({
  host: present,
  coHost: present,
  speaker: present,
  attendee: present,
  rsvp,
  ...outside,
});
/** Deleting someone else's message: before the lobby there is none that anyone could have a right to. */
const byModeratorsNotAuthors = (moderator: string, others: string): Row => ({
  host: moderator,
  coHost: moderator,
  speaker: others,
  attendee: others,
  rsvp: others,
  ...outside,
});

/** In a public workshop. */
export const expected: Record<CommandName, Row> = {
  // The workshop of the table exists already.
  'schedule-workshop': { ...byPresent('=ssss', '=ssss'), stranger: '=ssss' },
  'update-workshop': byHost('++sss'),
  'open-lobby': byHost('+=sss'),
  start: byModerators('++=ss'),
  end: byModerators('ss+=s'),
  cancel: byHost('++ss='),

  rsvp: { ...byPresent('===ss', '===ss'), stranger: '+++ss' },
  'withdraw-rsvp': { ...byPresent('sssss', '+++ss'), stranger: '===ss' },
  'invite-users': byModerators('+++ss'),

  join: byPresent('===ss', '+++ss'),
  leave: byPresent('+++jj', 'jjjjj'),
  'drop-user': byHost('fffff'),
  'rejoin-user': byHost('fffff'),
  'remove-user': byModerators('+++ss'),
  'readmit-user': byModerators('+++ss'),

  'promote-cohost': byHost('+++ss'),
  'demote-cohost': byHost('+++ss'),

  'raise-hand': byPresent('s++ss', 'sjjss'),
  'lower-hand': byModerators('s++ss'),
  'approve-speaker': byModerators('s++ss'),
  'revoke-speaker': byModerators('s++ss'),
  'mute-user': byModerators('s++ss'),

  chat: byPresent('s++ss', 'sjjss'),
  'delete-chat': byModeratorsNotAuthors('s++ss', 'sffff'),
  'withdraw-message': byModeratorsNotAuthors('t++++', 'tffff'),
};

/** A private workshop does not exist for strangers; to all others it is no different. */
export const expectedInPrivate = (name: CommandName): Row => ({ ...expected[name], stranger: 'nnnnn' });
