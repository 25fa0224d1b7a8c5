/** The projector of a process, and what operators see of it in logs and metrics. */
import type { Logger } from 'pino';
import type { Database } from '../projections/database.ts';
import { type Projector, projector } from '../projections/projector.ts';
import { eventsBehind, listParked } from '../projections/status.ts';
import type { History } from './history/history.ts';
import type { EventLog } from './log/log.ts';
import type { Metrics } from './observe/metrics.ts';

export interface ObservedProjectorParts {
  log: EventLog;
  database: Database;
  history: History;
  node: string;
  metrics: Metrics;
  logger: Logger;
}

export function observedProjector({
  log,
  database,
  history,
  node,
  metrics,
  logger,
}: ObservedProjectorParts): Projector {
  const running = projector({
    log,
    database,
    node,
    histories: history,
    onEvent(event) {
      switch (event.type) {
        case 'committed':
          metrics.projectedEvents.inc(event.events);
          return;
        case 'parked':
          logger.error(event, 'a workshop is parked: its projection waits (workshop projections status)');
          return;
        case 'diverged':
          logger.error(
            event,
            'the log lost events that were projected; they are kept in workshop_events_lost',
          );
          return;
        case 'skipped':
          logger.warn(event, 'an event that an operator gave up is left out');
          return;
        case 'partitions':
          logger.info({ partitions: event.held.length }, 'the projector has its share of partitions');
          return;
        case 'error':
          metrics.faults.inc({ place: 'projector' });
          logger.warn({ err: event.error }, 'the projector could not go on; it tries again');
      }
    },
  });
  const looking = setInterval(() => {
    metrics.projectorLag.set(running.lag() / 1_000);
    listParked(database).then(
      (parked) => metrics.parked.set(parked.length),
      // The projector itself tells of a database that is away.
      () => undefined,
    );
  }, lookMs);
  let counting = false;
  const count = setInterval(() => {
    if (counting) return;
    counting = true;
    eventsBehind(database, log, running.positions.keys())
      .then(
        (behind) => metrics.projectorLagEvents.set(behind),
        () => undefined,
      )
      .finally(() => {
        counting = false;
      });
  }, countMs);
  return {
    ...running,
    close() {
      clearInterval(looking);
      clearInterval(count);
      return running.close();
    },
  };
}

const lookMs = 2_000;
/** It asks the log for the version of every open workshop. */
const countMs = 10_000;
