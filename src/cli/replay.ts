/** `workshop replay <id>`: the room as it was, for people or as `workshop:state` tells it. */
import { readConfig } from '../config.ts';
import { type Asked, instantOf, momentOf } from '../history/moment.ts';
import { type StateView, stateView } from '../protocol/wire.ts';
import { type CliCommand, type Given, idOf, UsageError, wholeOf } from './command.ts';
import { durationOf, durationText, oneLine, progressBar } from './terminal.ts';

/** Reading so many events takes no time that a person notices. */
const shortly = 20_000;

export const replay: CliCommand = {
  name: 'replay',
  summary:
    'Prints the room as it was: who was present, hands, chat. The newest state, if nothing else is asked for.',
  usage: 'workshop replay <id> [--version <version> | --at <time> | --offset <duration>] [--json]',
  help: {
    '--version': 'after this version',
    '--at': 'at this time: 2026-03-02T09:30:00Z, or milliseconds since 1970',
    '--offset': 'so long after the workshop went live: 12m30s',
  },
  options: { version: { type: 'string' }, at: { type: 'string' }, offset: { type: 'string' } },
  takesArguments: true,
  async run(given) {
    const workshopId = idOf(given, 'workshop');
    const asked = askedOf(given);
    const config = readConfig();
    // Loaded when they are needed: what is wrong usage is told at once.
    const { openForReading, openedHistory } = await import('./reading.ts');
    const { asSeenNow, roomAt } = await import('../history/stateAt.ts');
    const reading = await openForReading(config);
    const bar = progressBar({ shown: given.values.json !== true, what: 'read' });
    try {
      const history = await openedHistory(reading, workshopId);
      const rounds = Object.keys(asked).length === 0 ? 1 : 2;
      const onProgress = (round: number) => (version: number) => {
        if (history.version > shortly) bar.at((round + version / history.version) / rounds);
      };
      // All of it is read in any case: a message may have been deleted by the very last event.
      const present = await roomAt(history, { version: history.version }, { onProgress: onProgress(0) });
      const moment = momentOf(asked, present);
      const { snapshots } = reading;
      const past =
        moment === undefined
          ? present
          : await roomAt(history, moment, { snapshots, onProgress: onProgress(1) });
      bar.close();
      const state = stateView(asSeenNow(past, present), history.epoch, Number.POSITIVE_INFINITY);
      const text =
        given.values.json === true
          ? JSON.stringify(state)
          : roomText({ state, at: past.at, lastVersion: history.version });
      process.stdout.write(`${text}\n`);
    } finally {
      bar.close();
      await reading.close();
    }
  },
};

/** What is written wrongly is wrong usage; what is not in the workshop is told when that is known. */
function askedOf({ values }: Given): Asked {
  const { version, at, offset } = values;
  const given = { version, at, offset };
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]));
  if (names.length > 1) throw new UsageError(`give one of ${names.join(' and ')}`);
  if (version !== undefined) return { version: read('version', version, versionOf, '118') };
  if (at !== undefined)
    return { at: read('at', at, instantOf, '2026-03-02T09:30:00Z, or milliseconds since 1970') };
  if (offset !== undefined) return { offsetMs: read('offset', offset, durationOf, '12m30s') };
  return {};
}

function read(
  name: string,
  value: string | boolean,
  parse: (text: string) => number | undefined,
  like: string,
): number {
  const parsed = parse(String(value));
  if (parsed === undefined) throw new UsageError(`--${name} ${value} cannot be read: write it like ${like}`);
  return parsed;
}

function versionOf(text: string): number | undefined {
  const version = wholeOf(text);
  return version === 0 ? undefined : version;
}

interface ShownRoom {
  state: StateView;
  /** Milliseconds since 1970 of the last event in it. */
  at: number;
  /** The workshop's last version now. */
  lastVersion: number;
}

function roomText({ state, at, lastVersion }: ShownRoom): string {
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
