/** A room as a person reads it in a terminal. */
import type { StateView } from '../protocol/wire.ts';
import { durationText, oneLine } from './text.ts';

export interface ShownRoom {
  state: StateView;
  /** Milliseconds since 1970 of the last event in it. */
  at: number;
  /** The workshop's last version now. */
  lastVersion: number;
}

export function roomText({ state, at, lastVersion }: ShownRoom): string {
  const { workshopId, title, status, version, startedAt } = state;
  const since = startedAt === null ? [] : [`${durationText(at - Date.parse(startedAt))} after the start`];
  const names = new Map(state.attendees.map(({ userId, displayName }) => [userId, displayName]));
  const name = (userId: number) => `${oneLine(names.get(userId) ?? 'someone')} (${userId})`;
  const present = state.attendees.map((each) => [name(each.userId), roleOf(each)]);
  const hands = state.raisedHands.map((userId, index) => [`${index + 1}.`, name(userId)]);
  const chat = state.chat.map((line) => [
    line.createdAt.slice(11, 19),
    `${oneLine(line.displayName)} (${line.userId})`,
    line.message === null ? '[deleted]' : oneLine(line.message),
  ]);
  return [
    `Workshop ${workshopId}: ${oneLine(title)}`,
    [status, `version ${version} of ${lastVersion}`, new Date(at).toISOString(), ...since].join(', '),
    lines([
      ['scheduled', state.scheduledAt],
      ['started', startedAt ?? '-'],
      ['ended', state.endedAt ?? '-'],
    ]),
    block(`Present: ${state.attendeeCount}`, present),
    block(`Hands: ${hands.length}`, hands),
    block(`Chat: ${chat.length === 0 ? 'nothing' : `the last ${chat.length}`}`, chat),
  ].join('\n');
}

function roleOf({ isHost, isCoHost, canSpeak }: StateView['attendees'][number]): string {
  if (isHost) return 'host';
  if (isCoHost) return 'co-host';
  return canSpeak ? 'speaker' : '';
}

function block(title: string, rows: string[][]): string {
  return rows.length === 0 ? `\n${title}` : `\n${title}\n${lines(rows)}`;
}

/** In columns; the last one is as wide as it is. */
function lines(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (column === row.length - 1 ? 0 : (row[column]?.length ?? 0)))),
  );
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}
