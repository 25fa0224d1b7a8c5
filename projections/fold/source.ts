/** Reading a workshop's events, wherever they are kept, although some of it can't be parsed. */
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { type EventLog, readAll, type WorkshopEvents } from '../../src/log/log.ts';
import type { Database } from '../database/database.ts';
import { storedEvents } from '../events/queries.ts';

/** What projections use of the log. */
export type ProjectedLog = Pick<
  EventLog,
  'partitions' | 'partitionOf' | 'now' | 'feed' | 'streams' | 'notes'
> & {
  readonly events: Pick<WorkshopEvents, 'read' | 'head'>;
};

/** The log's streams, or `storedEvents`. */
export type EventSource = Pick<WorkshopEvents, 'read'>;

/** The log; where it has let go of the workshop's stream, what Postgres has stored. */
export function sourceOf(
  { database, log }: { database: Database; log: Pick<ProjectedLog, 'events'> },
  hasStream: boolean,
): EventSource {
  return hasStream ? log.events : storedEvents(database);
}

/** Events that follow on each other, or the one entry between them that can't be parsed. */
export type Step =
  | { kind: 'events'; events: RecordedEvent[] }
  | { kind: 'unreadable'; version: number; error: SyntaxError };

/** Everything after a version, `page` events at a time. */
export async function* stepsOf(
  source: EventSource,
  workshopId: number,
  after: number,
  page: number,
): AsyncGenerator<Step> {
  let version = after;
  let size = page;
  for (;;) {
    try {
      for await (const events of readAll(source, workshopId, version, size)) {
        yield { kind: 'events', events };
        version = events.at(-1)?.version ?? version;
      }
      return;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      if (size === 1) {
        version++;
        yield { kind: 'unreadable', version, error };
      }
      // One by one up to the entry itself, and then on as before.
      size = size === 1 ? page : 1;
    }
  }
}
