/**
 * Histories for commands that only look. The log is opened for reading, so that a server may run on the same folder; where
 * Postgres is configured it has what the log let go of, and is asked only then.
 */
import { pino } from 'pino';
import type { Database } from '../../projections/database/database.ts';
import { DatabaseUnfit } from '../../projections/database/fitness.ts';
import { openDatabase } from '../../projections/database/open.ts';
import { storedEvents } from '../../projections/events/queries.ts';
import { gated } from '../../projections/logIdentity/ownDatabase.ts';
import { requireOwn } from '../../projections/logIdentity/recognize.ts';
import { roomSnapshots } from '../../projections/snapshots/snapshots.ts';
import type { Config } from '../config.ts';
import { type History, type OpenHistory, workshopHistory } from '../history/history.ts';
import type { PastSnapshots } from '../history/stateAt.ts';
import type { EventLog } from '../log/log.ts';
import { CodedError } from '../protocol/errors.ts';
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
    return { history: workshopHistory(log.events), log, close: () => log.close() };
  // What is wrong with it comes out when it is asked.
  const options = { onError: () => undefined };
  const database = openDatabase({ url: config.DATABASE_URL, migrating: 'never', isRead: true }, options);
  const own = lookedAt(log, database);
  return {
    history: workshopHistory(log.events, storedEvents({ query: own.read })),
    snapshots: roomSnapshots(own),
    log,
    async close() {
      await database.close();
      await log.close();
    },
  };
}

/** The database, which is looked at before it is first asked: another log's workshops are not this one's. */
function lookedAt(log: EventLog, database: Database): Database {
  let looked: Promise<void> | undefined;
  return gated(database, async () => {
    looked ??= requireOwn({ log, database });
    await looked.catch((cause: unknown) => {
      // What could not be told is asked again.
      if (!(cause instanceof DatabaseUnfit)) {
        looked = undefined;
        throw cause;
      }
      throw new CodedError('unavailable', cause.message, { cause });
    });
  });
}

/** Fails where there is no such workshop. */
export async function openedHistory({ history }: Reading, workshopId: number): Promise<OpenHistory> {
  const opened = await history.open(workshopId);
  if (opened === undefined) throw new CommandFailed(`there is no workshop ${workshopId}`);
  return opened;
}
