/** Every command × status × role, in public and private workshops, against the table in `expectations.ts`. */
import { describe, expect, test } from 'vitest';
import { type CommandName, commandNames } from '../../src/domain/catalog.ts';
import type { Decision } from '../../src/domain/define.ts';
import { statuses, type Visibility } from '../../src/domain/room.ts';
import { expected, expectedInPrivate, type Role, type Row, roles } from './expectations.ts';
import { decideOn, roomAfter } from './given.ts';
import { aim, beginning, letters, people, until } from './table.ts';

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
