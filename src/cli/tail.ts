/** `workshop tail <id>`: a workshop's events as they come, in a terminal or a pipe. */
import { readConfig } from '../config.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import { type Pages, wireContextOf } from '../history/following.ts';
import { readAll } from '../log/log.ts';
import { historyEvent, type WireContext } from '../protocol/wire.ts';
import { type CliCommand, idOf, versionOf } from './command.ts';
import { nextSignal } from './signals.ts';

export const tail: CliCommand = {
  name: 'tail',
  summary: 'Prints the events of a workshop, those that are there and then those that come.',
  usage: 'workshop tail <id> [--after <version>] [--no-follow] [--json]',
  help: {
    '--after': 'print what follows on this version (0, if left out: everything)',
    '--no-follow': 'end after what is there',
  },
  options: { after: { type: 'string' }, 'no-follow': { type: 'boolean' } },
  takesArguments: true,
  async run(given) {
    const workshopId = idOf(given, 'workshop');
    const after = versionOf('--after', given.values.after ?? '0', 0);
    const json = given.values.json === true;
    const config = readConfig();
    // Loaded when they are needed: what is wrong usage is told at once.
    const { openForReading, openedHistory } = await import('./reading.ts');
    const reading = await openForReading(config);
    const { log } = reading;
    const context: WireContext = { startedAt: null, deleted: new Set() };
    let last = 0;

    /** Twice read: what the last of the events deleted is not printed with the first. */
    async function print(pages: () => Pages): Promise<void> {
      const { startedAt, deleted } = await wireContextOf(pages());
      context.startedAt ??= startedAt;
      for (const id of deleted) context.deleted.add(id);
      for await (const page of pages())
        for (const event of page) {
          if (event.version > last && event.version > after)
            process.stdout.write(`${line(event, context, json)}\n`);
          last = Math.max(last, event.version);
        }
    }

    let turn: Promise<void> = Promise.resolve();
    function inTurn(pages: () => Pages): Promise<void> {
      turn = turn.catch(() => undefined).then(() => print(pages));
      return turn;
    }
    const catchUp = () => inTurn(() => readAll(log.events, workshopId, last));

    try {
      const history = await openedHistory(reading, workshopId);
      const beginning = inTurn(() => history.pages());
      if (given.values['no-follow'] === true) return await beginning;
      const following = log.feed.tail({
        from: new Map([[log.partitionOf(workshopId), 'end']]),
        onBatch: ({ entries, gap }) => {
          if (gap || entries.some((entry) => entry.workshopId === workshopId)) return catchUp();
        },
        onError: (error) => process.stderr.write(`workshop: ${String(error)}; trying again\n`),
      });
      await Promise.all([beginning, following.ready]);
      await catchUp();
      await nextSignal();
      await following.close();
    } finally {
      await reading.close();
    }
  },
};

function line(event: RecordedEvent, context: WireContext, json: boolean): string {
  const shown = historyEvent(event, context);
  if (json) return JSON.stringify(shown);
  return `${String(shown.version).padStart(6)}  ${shown.at}  ${shown.type.padEnd(18)}  ${JSON.stringify(shown.data)}`;
}
