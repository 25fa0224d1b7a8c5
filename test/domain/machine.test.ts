/** The chart against the contract's table: which status accepts which command, and where it leads. */
import { describe, expect, test } from 'vitest';
import { type CommandName, commandNames } from '../../src/domain/catalog.ts';
import { canHappen, statusAfter, workshopChart } from '../../src/domain/machine.ts';
import { type Status, statuses } from '../../src/domain/room.ts';

const unfinished: readonly Status[] = ['scheduled', 'lobby', 'live'];
const onTheFloor: readonly Status[] = ['lobby', 'live'];

/** The column "status" of the contract's tables. */
const accepts: Record<CommandName, readonly Status[]> = {
  'schedule-workshop': ['scheduled'],
  'update-workshop': ['scheduled', 'lobby'],
  'open-lobby': ['scheduled'],
  start: ['scheduled', 'lobby'],
  end: ['live'],
  cancel: ['scheduled', 'lobby'],
  rsvp: unfinished,
  'withdraw-rsvp': unfinished,
  'invite-users': unfinished,
  join: unfinished,
  leave: statuses,
  'drop-user': unfinished,
  'rejoin-user': unfinished,
  'remove-user': unfinished,
  'readmit-user': unfinished,
  'promote-cohost': unfinished,
  'demote-cohost': unfinished,
  'raise-hand': onTheFloor,
  'lower-hand': onTheFloor,
  'approve-speaker': onTheFloor,
  'revoke-speaker': onTheFloor,
  'mute-user': onTheFloor,
  chat: onTheFloor,
  'delete-chat': onTheFloor,
  'withdraw-message': statuses,
};

const leads: Partial<Record<CommandName, Status>> = {
  'open-lobby': 'lobby',
  start: 'live',
  end: 'ended',
  cancel: 'cancelled',
};

describe('the chart', () => {
  test.each(commandNames)('%s is accepted in the statuses of the contract and in no other', (name) => {
    expect(statuses.filter((status) => canHappen(status, name))).toEqual(accepts[name]);
  });

  test.each(commandNames)('%s leads where the contract says, and most lead nowhere', (name) => {
    for (const status of accepts[name]) expect(statusAfter(status, name)).toBe(leads[name] ?? status);
  });

  test('a command that a status does not accept leaves it as it is', () => {
    expect(statusAfter('ended', 'start')).toBe('ended');
  });

  test('a command that does not exist is accepted nowhere', () => {
    expect(statuses.filter((status) => canHappen(status, 'fly'))).toEqual([]);
  });

  test('it knows no command that the catalog does not know', () => {
    const known = Object.values(workshopChart.config.states ?? {}).flatMap((state) =>
      Object.keys(state.on ?? {}),
    );
    expect([...new Set(known)].filter((name) => !(commandNames as string[]).includes(name))).toEqual([]);
  });
});
