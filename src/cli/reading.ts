/**
 * Histories for commands that only look. The log is opened for reading, so that a server may run on the same folder; where
 * Postgres is configured it has what the log let go of, and is asked only then.
 */
import { pino } from 'pino';
import { keptEvents } from '../../projections/events/queries.ts';
import { openDatabase } from '../../projections/open.ts';
import { roomSnapshots } from '../../projections/snapshots/snapshots.ts';
import type { Config } from '../config.ts';
import { type History, type OpenHistory, workshopHistory } from '../history/history.ts';
import type { PastSnapshots } from '../history/stateAt.ts';
import type { EventLog } from '../log/log.ts';
import { openLogForReading } from '../stores.ts';
import { CommandFailed } from './command.ts';

export interface Reading {
  history: History;
  snapshots?: PastSnapshots;
  /** For reading; its clock is that of all events. */
  log: EventLog;
  close(): Promise<void>;
}

export async function openForReading(config: Config): Promise<Reading> {
  const log = await openLogForReading(config, pino({ level: 'silent' }));
  if (config.DATABASE_URL === undefined)
    return { history: workshopHistory(log), log, close: () => log.close() };
  // What is wrong with it comes out when it is asked.
  const options = { onError: () => undefined };
  const database = openDatabase({ url: config.DATABASE_URL, migrating: 'never' }, options);
  return {
    history: workshopHistory(log, keptEvents(database)),
    snapshots: roomSnapshots(database),
    log,
    async close() {
      await database.close();
      await log.close();
    },
  };
}

/** Fails where there is no such workshop. */
export async function openedHistory({ history }: Reading, workshopId: number): Promise<OpenHistory> {
  const opened = await history.open(workshopId);
  if (opened === undefined) throw new CommandFailed(`there is no workshop ${workshopId}`);
  return opened;
}
