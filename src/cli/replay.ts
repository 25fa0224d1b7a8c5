/** `workshop replay <id>`: the room as it was, for people or as `workshop:state` tells it. */
import { readConfig } from '../config.ts';
import { type Asked, instantOf, momentOf } from '../history/moment.ts';
import { stateView } from '../protocol/wire.ts';
import { type CliCommand, type Given, UsageError, workshopIdOf } from './command.ts';
import { progressBar } from './progress.ts';
import { roomText } from './roomText.ts';
import { durationOf } from './text.ts';

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
  async run(given) {
    const workshopId = workshopIdOf(given);
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
  const version = Number(text);
  return /^[1-9]\d*$/.test(text) && Number.isSafeInteger(version) ? version : undefined;
}
