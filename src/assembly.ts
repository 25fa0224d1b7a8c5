/**
 * A node, put together: engine, REST, sockets, projector on stores that are open. Where it is reached – on a server of its own
 * (`server.ts`) or on one that is there (`attach.ts`) – is handed in as its doorway.
 */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Namespace } from 'socket.io';
import manifest from '../package.json' with { type: 'json' };
import { roomSnapshots } from '../projections/snapshots/snapshots.ts';
import type { Projector } from '../projections/worker/projector.ts';
import { highestWorkshopId } from '../projections/workshops/queries.ts';
import type { RestParts } from './api/parts.ts';
import { readModels } from './api/readModels.ts';
import { restApi } from './api/rest.ts';
import type { Config } from './config.ts';
import { type Engine, workshopEngine } from './engine/engine.ts';
import { addresses } from './identity/address.ts';
import { type Callers, callersByToken } from './identity/callers.ts';
import { type Origins, origins } from './identity/origin.ts';
import { tokens } from './identity/token.ts';
import type { NamespaceParts, WorkshopSockets } from './lib/socket/index.ts';
import { readerSettings } from './lib/socket/readers.ts';
import { openLimits } from './limiting.ts';
import { type Metrics, metrics } from './observe/metrics.ts';
import { type NodeStatus, nodesOn, statusOf } from './observe/nodes.ts';
import { openTracing } from './observe/tracing.ts';
import { observedProjector } from './projector.ts';
import type { Stores } from './stores.ts';
import { inTime } from './timing/inTime.ts';
import { noSeal, sealedUnder } from './webhooks/secret.ts';
import { webhookSender } from './webhooks/send.ts';
import { webhooks } from './webhooks/webhooks.ts';

/** Over how long clients move to other nodes, if the configuration does not say so, in milliseconds. */
const usualDrainMs = 10_000;
/** How long a store that does not answer is waited for at the end. */
const lastCommitsMs = 5_000;
/** Its very first start takes some seconds of computing; rooms are served before lists on a machine that is busy. */
const embeddedPatienceMs = 8_000;

export interface Assembling {
  config: Config;
  logger: Logger;
  stores: Stores;
  /** What was opened so far, the last thing first: whoever asked for the node gives it back in this order. */
  opened: (() => unknown)[];
  /** Who calls, given the origins that count; by tokens if left out. */
  callers?: ((origins: Origins) => Callers) | undefined;
  /** Origins that count beside those of the configuration. */
  otherOrigins?: readonly string[];
  rest: Pick<RestParts, 'page' | 'lively' | 'operatorKey' | 'operationsOnly'>;
  open(parts: DoorwayParts): Promise<Doorway>;
}

/** What a doorway is made of. What it opens goes into `opened`. */
export interface DoorwayParts {
  app: FastifyInstance;
  origins: Origins;
  sockets: Omit<NamespaceParts, 'connections'>;
}

export interface Doorway {
  sockets: WorkshopSockets | undefined;
  /** Reaches the other processes that share the log; none where there are none, or they cannot be reached. */
  circle: Namespace | undefined;
}

export interface Assembled {
  app: FastifyInstance;
  engine: Engine;
  /** Once what is appended from now on reaches the sockets. */
  ready: Promise<void>;
}

export async function assemble(assembling: Assembling): Promise<Assembled> {
  const { config, logger, stores, opened } = assembling;
  // Before anything is written to either.
  await stores.recognized();
  const { log, database, stored, history } = stores;
  // New at each start: what a former process of this machine held is not this one's.
  const node = randomUUID().slice(0, 13);
  const measured = metrics();
  const engine = workshopEngine({
    ...{ log, node, observer: engineObserver(measured, logger) },
    ...(stored !== undefined && { archive: stored }),
  });
  opened.unshift(() => engine.close());
  const tracing = await openTracing(manifest.version);
  const limiting = await openLimits(config, measured, logger);
  opened.unshift(() => limiting.close());
  const identity = identityOf(assembling);
  const shared = {
    ...{ engine, log, metrics: measured, node, limits: limiting.limits, ...identity },
    addresses: addresses(config.TRUST_PROXY),
  };
  const delivering = deliveringOf(assembling);
  opened.unshift(() => delivering.sender.close());
  let draining = false;
  const self = () => statusOf(measured, { node, role: config.ROLE, draining, version: manifest.version });
  let nodes = async () => [await self()];
  const app = await restApi({
    ...shared,
    history,
    snapshots: roomSnapshots(database),
    nodes: () => nodes(),
    logger,
    readModels: readModels(database, log),
    config: {
      ...{ publicUrl: config.PUBLIC_URL, basePath: config.basePath },
      ...{ corsOrigins: config.CORS_ORIGINS, production: config.production },
      unlimited: config.RATE_LIMIT_SCALE === 0,
      guests: config.guests,
    },
    health: { log: () => log.ping(), database: () => database.check() },
    webhooks: webhooks({
      ...{ noting: { log, database }, ...delivering },
      allowPrivate: config.WEBHOOK_ALLOW_PRIVATE,
    }),
    ...assembling.rest,
  });
  const { sockets, circle } = await assembling.open({
    ...{ app, origins: identity.origins },
    sockets: {
      ...{ ...shared, tracing, logger, admission: limiting.admission, readers: readerSettings },
      presence: { graceMs: config.PRESENCE_GRACE_MS, leaseMs: config.PRESENCE_LEASE_MS },
      timers: {
        lobbyOpensMinutes: config.LOBBY_OPENS_MINUTES,
        maxLiveHours: config.MAX_LIVE_HOURS,
        hostAbsentMinutes: config.HOST_ABSENT_MINUTES,
      },
    },
  });
  const leaving = new AbortController();
  if (circle !== undefined) nodes = nodesOn(circle, self, { signal: leaving.signal });
  opened.unshift(() => leaving.abort());
  const projector =
    config.ROLE === 'gateway'
      ? undefined
      : observedProjector({
          ...{ log, database, history, node, metrics: measured, logger, webhooks: delivering },
          archiving: {
            afterMs: config.ARCHIVE_AFTER_MINUTES * 60_000,
            streams: config.DATABASE_URL === undefined ? 'kept' : 'removed',
          },
        });
  opened.unshift(async () => {
    draining = true;
    const handingOver = handOver(projector, logger);
    const windowMs = config.DRAIN_MS ?? ((await hasAnother(nodes)) ? usualDrainMs : 0);
    await sockets?.drain(windowMs);
    await handingOver;
  });
  opened.unshift(() => app.drain());
  raiseIds(stores, logger);
  return { app, engine, ready: readiness(stores, sockets) };
}

function identityOf({ config, stores, callers, otherOrigins = [] }: Assembling) {
  const known = origins({
    allowed: [...config.CORS_ORIGINS, ...otherOrigins],
    publicUrl: config.PUBLIC_URL,
  });
  const checked = tokens({
    secret: stores.secret,
    jwksUrl: config.AUTH_JWKS_URL,
    issuer: config.AUTH_ISSUER,
    audience: config.AUTH_AUDIENCE,
    guests: config.guests,
  });
  return { tokens: checked, origins: known, callers: callers?.(known) ?? callersByToken(checked, known) };
}

/** What deliveries to webhooks are signed and sent with. */
function deliveringOf({ config, stores }: Assembling) {
  const { webhookSecret } = stores;
  return {
    seal: webhookSecret === undefined ? noSeal : sealedUnder(webhookSecret),
    sender: webhookSender(config.WEBHOOK_ALLOW_PRIVATE),
  };
}

async function readiness({ database }: Stores, sockets: WorkshopSockets | undefined): Promise<void> {
  await sockets?.ready;
  // An embedded database is this process' own: who finds the server up mostly finds it up. A Postgres may be away.
  if (database.kind === 'pglite') await Promise.race([database.ready, pause(embeddedPatienceMs)]);
}

/** A log that lost workshops must not give their ids to others. Where the database is away this waits for it. */
function raiseIds({ database, log }: Stores, logger: Logger): void {
  database.ready
    .then(() => highestWorkshopId(database))
    .then((highest) => log.ids.raise(highest))
    .catch((error: unknown) =>
      logger.warn({ err: error }, 'workshop ids could not be compared with the database'),
    );
}

/** Others fold its partitions on while clients move. A database that is away does not hold these up. */
async function handOver(projector: Projector | undefined, logger: Logger): Promise<void> {
  if (projector === undefined) return;
  await inTime(projector.close(), lastCommitsMs, 'handing partitions over').catch((error: unknown) =>
    logger.warn({ err: error }, 'partitions stay until their lease runs out'),
  );
}

/** Whether there is another node that clients can move to. */
async function hasAnother(nodes: () => Promise<NodeStatus[]>): Promise<boolean> {
  const [, ...others] = await nodes();
  return others.some(({ role, draining }) => role !== 'projector' && !draining);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Gives everything back, the last thing first; what does not end as it should keeps nothing else from ending. */
export async function closeAll(opened: (() => unknown)[], logger: Logger): Promise<void> {
  for (const closing of opened.splice(0)) {
    try {
      await closing();
    } catch (error) {
      logger.warn({ err: error }, 'something did not end as it should');
    }
  }
}

function engineObserver(measured: Metrics, logger: Logger) {
  return {
    appended(events: number, ms: number) {
      measured.appendedEvents.inc(events);
      measured.appends.observe(ms / 1_000);
    },
    conflicted: () => measured.conflicts.inc(),
    refused: (_: string, code: string) => measured.refusals.inc({ code }),
    notKept(error: unknown) {
      measured.faults.inc({ place: 'engine' });
      logger.warn(
        { err: error },
        'a room could not be kept beside its events; it is read from further back next time',
      );
    },
    failed(error: unknown) {
      measured.faults.inc({ place: 'engine' });
      logger.warn({ err: error }, 'a command could not be appended; it is tried again while its time lasts');
    },
  };
}
