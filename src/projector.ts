/** The projector of a process, and what operators see of it in logs and metrics. */
import type { Logger } from 'pino';
import { type ArchiverOptions, archiver } from '../projections/archive/archiver.ts';
import type { Database } from '../projections/database/database.ts';
import { countTroubled } from '../projections/webhooks/places.ts';
import { type Projector, projector } from '../projections/worker/projector.ts';
import { eventsBehind, listParked } from '../projections/worker/status.ts';
import type { History } from './history/history.ts';
import type { EventLog } from './log/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { type Deliveries, type DeliveriesOptions, deliveries } from './webhooks/deliveries.ts';

export interface ObservedProjectorParts {
  log: EventLog;
  database: Database;
  history: History;
  archiving: Archiving;
  node: string;
  metrics: Metrics;
  logger: Logger;
  webhooks: Pick<DeliveriesOptions, 'seal' | 'sender'>;
}

/** When workshops are archived, and what the log does with them then. */
export type Archiving = Pick<ArchiverOptions, 'afterMs' | 'streams'>;

export function observedProjector({
  log,
  database,
  history,
  archiving,
  node,
  metrics,
  logger,
  webhooks,
}: ObservedProjectorParts): Projector {
  const delivering = observedDeliveries({ log, database, node, metrics, logger, webhooks });
  const running = projector({
    log,
    database,
    node,
    histories: history,
    archives: archiving.streams,
    onEvent(event) {
      switch (event.type) {
        case 'committed':
          metrics.projectedEvents.inc(event.events);
          delivering.wake();
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
        case 'erased':
          logger.warn(event, 'a person was forgotten in a workshop');
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
  const archive = archiver({
    ...{ database, log, ...archiving },
    held: () => running.fences,
    onEvent(event) {
      switch (event.type) {
        case 'archived':
          metrics.archived.inc();
          logger.info(event, 'a workshop is archived');
          return;
        case 'waiting':
          logger.warn(event, 'a workshop that is over stays in the log');
          return;
        case 'error':
          metrics.faults.inc({ place: 'archiver' });
          logger.warn({ err: event.error }, 'a workshop could not be archived; it is tried again');
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
    countTroubled(database).then(
      ({ waiting, failing }) => {
        metrics.webhookPlaces.set({ state: 'waiting' }, waiting);
        metrics.webhookPlaces.set({ state: 'failing' }, failing);
      },
      () => undefined,
    );
  }, lookMs);
  let counting = false;
  let restsUntil = 0;
  const count = setInterval(() => {
    const began = performance.now();
    if (counting || began < restsUntil) return;
    counting = true;
    eventsBehind(database, log, running.positions.keys())
      .then(
        (behind) => metrics.projectorLagEvents.set(behind),
        () => undefined,
      )
      .finally(() => {
        counting = false;
        restsUntil = performance.now() + countingRests * (performance.now() - began);
      });
  }, countMs);
  return {
    ...running,
    async close() {
      clearInterval(looking);
      clearInterval(count);
      await Promise.all([archive.close(), delivering.close()]);
      await running.close();
    },
  };
}

type DeliveriesParts = Pick<
  ObservedProjectorParts,
  'log' | 'database' | 'node' | 'metrics' | 'logger' | 'webhooks'
>;

function observedDeliveries({ log, database, node, metrics, logger, webhooks }: DeliveriesParts): Deliveries {
  return deliveries({
    ...{ noting: { log, database }, owner: node, ...webhooks },
    onEvent(event) {
      switch (event.type) {
        case 'delivered':
          metrics.webhookDeliveries.inc({ result: 'delivered' });
          return;
        case 'failed':
          metrics.webhookDeliveries.inc({ result: 'failed' });
          if (event.waits)
            logger.error(event, 'a webhook was tried for days and waits: resume it, or delete it');
          else logger.info(event, 'a delivery to a webhook failed; it is tried again');
          return;
        case 'ended':
          logger.warn(event, 'the receiver of a webhook wants no more');
          return;
        case 'error':
          metrics.faults.inc({ place: 'webhooks' });
          logger.warn({ err: event.error }, 'webhooks could not be looked after; it is tried again');
      }
    },
  });
}

const lookMs = 2_000;
/** It asks the log for the version of every open workshop: of very many it is done less often. */
const countMs = 10_000;
const countingRests = 20;
