/** `workshop tail <id>`: a workshop's events as they come, in a terminal or a pipe. */
import { readConfig } from '../config.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import type { Pages } from '../history/following.ts';
import { type Known, knownOf } from '../history/known.ts';
import { readAll } from '../log/log.ts';
import { historyEvent } from '../protocol/wire.ts';
import { type CliCommand, UsageError, wholeOf, workshopIdOf } from './command.ts';

export const tail: CliCommand = {
  name: 'tail',
  summary: 'Prints the events of a workshop, those that are there and then those that come.',
  usage: 'workshop tail <id> [--after <version>] [--no-follow] [--json]',
  help: {
    '--after': 'print what follows on this version (0, if left out: everything)',
    '--no-follow': 'end after what is there',
  },
  options: { after: { type: 'string' }, 'no-follow': { type: 'boolean' } },
  async run(given) {
    const workshopId = workshopIdOf(given);
    const after = versionOf(given.values.after);
    const json = given.values.json === true;
    const config = readConfig();
    // Loaded when they are needed: what is wrong usage is told at once.
    const { openForReading, openedHistory } = await import('./reading.ts');
    const reading = await openForReading(config);
    const { log } = reading;
    const known: Known = { startedAt: null, deleted: new Set() };
    let last = 0;

    /** Twice read: what the last of the events deleted is not printed with the first. */
    async function print(pages: () => Pages): Promise<void> {
      const { startedAt, deleted } = await knownOf(pages());
      known.startedAt ??= startedAt;
      for (const id of deleted) known.deleted.add(id);
      for await (const page of pages())
        for (const event of page) {
          if (event.version > last && event.version > after)
            process.stdout.write(`${line(event, known, json)}\n`);
          last = Math.max(last, event.version);
        }
    }

    let turn: Promise<void> = Promise.resolve();
    function inTurn(pages: () => Pages): Promise<void> {
      turn = turn.catch(() => undefined).then(() => print(pages));
      return turn;
    }
    const catchUp = () => inTurn(() => readAll(log, workshopId, last));

    try {
      const history = await openedHistory(reading, workshopId);
      const beginning = inTurn(() => history.pages());
      if (given.values['no-follow'] === true) return await beginning;
      const following = log.tail({
        from: new Map([[log.partitionOf(workshopId), 'end']]),
        onBatch: ({ entries, gap }) => {
          if (gap || entries.some((entry) => entry.workshopId === workshopId)) return catchUp();
        },
        onError: (error) => process.stderr.write(`workshop: ${String(error)}; trying again\n`),
      });
      await Promise.all([beginning, following.ready]);
      await catchUp();
      await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
      await following.close();
    } finally {
      await reading.close();
    }
  },
};

function versionOf(text: string | boolean | undefined): number {
  const version = wholeOf(text ?? '0');
  if (Number.isNaN(version)) throw new UsageError(`--after ${text} is not a version`);
  return version;
}

function line(event: RecordedEvent, known: Known, json: boolean): string {
  const told = historyEvent(event, known);
  if (json) return JSON.stringify(told);
  return `${String(told.version).padStart(6)}  ${told.at}  ${told.type.padEnd(18)}  ${JSON.stringify(told.data)}`;
}
