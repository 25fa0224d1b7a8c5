/**
 * Whether the tables have all of a workshop that the log has: every event of the stream is counted and hashed, and the rows of
 * `workshop_events` are, and both have to come to the same.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deletedBy, redactedData } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { EventMissing, readAll } from '../../src/log/log.ts';
import type { Database } from '../database/database.ts';
import { storedEvents } from '../events/queries.ts';
import type { EventSource, ProjectedLog } from '../fold/source.ts';
import { type Account, accounting } from './account.ts';

export type Confirmation =
  | { kind: 'confirmed'; account: Account; deleted: ReadonlySet<number> }
  /** What the tables have is something else. */
  | { kind: 'different'; reason: string };

export interface Confirming {
  database: Database;
  log: Pick<ProjectedLog, 'events'>;
  signal: AbortSignal;
}

/** Of a workshop whose last event is that of `version`, and which nothing is appended to. Rejects where a store is away. */
export async function confirm(
  { database, log, signal }: Confirming,
  workshopId: number,
  version: number,
): Promise<Confirmation> {
  async function each(source: EventSource, take: (event: RecordedEvent) => void): Promise<void> {
    let next = 1;
    for await (const page of readAll(source, workshopId)) {
      for (const event of page) {
        if (event.version !== next++) throw new EventMissing(workshopId, next - 1);
        if (event.version <= version) take(event);
      }
      // Both stores may answer without letting anyone else have their turn.
      await nextTurn();
      signal.throwIfAborted();
    }
  }

  const deleted = new Set<number>();
  const inLog = accounting(workshopId);
  const inTables = accounting(workshopId);
  try {
    await each(log.events, (event) => {
      const id = deletedBy(event);
      if (id !== undefined) deleted.add(id);
    });
    await each(log.events, (event) =>
      inLog.add(deleted.has(event.version) ? { ...event, data: redactedData(event) } : event),
    );
    await each(storedEvents(database), (event) => inTables.add(event));
  } catch (error) {
    if (!(error instanceof EventMissing)) throw error;
    const where = inLog.version() < version ? 'the log' : 'workshop_events';
    return different(`${where} has no event ${error.version}`);
  }
  const [account, stored] = [inLog.account(), inTables.account()];
  if (account.version !== version) return different(`the log has ${account.version} events of ${version}`);
  if (stored.version !== version)
    return different(`workshop_events has ${stored.version} events of ${version}`);
  if (stored.hash !== account.hash) return different('workshop_events does not have what the log has');
  return { kind: 'confirmed', account, deleted };
}

function different(reason: string): Confirmation {
  return { kind: 'different', reason };
}
