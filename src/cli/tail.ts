/** `workshop tail <id>`: a workshop's events as they come, in a terminal or a pipe. */
import { pino } from 'pino';
import { readConfig } from '../config.ts';
import { evolve, type RecordedEvent } from '../domain/evolve.ts';
import { emptyRoom } from '../domain/room.ts';
import { readAll } from '../log/log.ts';
import { historyEvent } from '../protocol/wire.ts';
import { type CliCommand, CommandFailed, UsageError, workshopIdOf } from './command.ts';

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
    const config = readConfig();
    const { openLogForReading } = await import('../stores.ts');
    const log = await openLogForReading(config, pino({ level: 'silent' }));
    const room = emptyRoom(workshopId);
    const print = (event: RecordedEvent) => {
      if (event.version <= room.version) return;
      evolve(room, event);
      if (event.version > after) process.stdout.write(`${line(event, room, given.values.json === true)}\n`);
    };
    try {
      if ((await log.head(workshopId)) === null)
        throw new CommandFailed(`there is no workshop ${workshopId}`);
      const catchUp = async () => {
        for await (const page of readAll(log, workshopId, room.version))
          for (const event of page) print(event);
      };
      if (given.values['no-follow'] === true) return await catchUp();
      const following = log.tail({
        from: new Map([[log.partitionOf(workshopId), 'end']]),
        onBatch: ({ entries, gap }) => {
          if (gap || entries.some((entry) => entry.workshopId === workshopId)) return catchUp();
        },
        onError: (error) => process.stderr.write(`workshop: ${String(error)}; trying again\n`),
      });
      await following.ready;
      await catchUp();
      await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
      await following.close();
    } finally {
      await log.close();
    }
  },
};

function versionOf(text: string | boolean | undefined): number {
  const version = Number(text ?? 0);
  if (!Number.isSafeInteger(version) || version < 0) throw new UsageError(`--after ${text} is not a version`);
  return version;
}

function line(event: RecordedEvent, room: Parameters<typeof historyEvent>[1], json: boolean): string {
  const told = historyEvent(event, room);
  if (json) return JSON.stringify(told);
  return `${String(told.version).padStart(6)}  ${told.at}  ${told.type.padEnd(18)}  ${JSON.stringify(told.data)}`;
}
