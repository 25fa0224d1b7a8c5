/**
 * Puts a process together: stores, engine, REST, sockets, projector. What runs is the configuration's matter (`ROLE`); how
 * things work is theirs.
 */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { parseAddress, shownAddress } from '../projections/database/address.ts';
import { roomSnapshots } from '../projections/snapshots/snapshots.ts';
import type { Projector } from '../projections/worker/projector.ts';
import { highestWorkshopId } from '../projections/workshops/queries.ts';
import { type BundledPage, bundlePage } from '../web/bundle.ts';
import { servedUnder } from './api/basePath.ts';
import { readModels } from './api/readModels.ts';
import { restApi } from './api/rest.ts';
import type { Config } from './config.ts';
import { connectionsOf } from './connections.ts';
import { workshopEngine } from './engine/engine.ts';
import { addresses } from './identity/address.ts';
import { operatorKey } from './identity/operatorKey.ts';
import { origins } from './identity/origin.ts';
import { tokens } from './identity/token.ts';
import { adapterWithoutSockets, redisAdapter } from './lib/socket/adapter.ts';
import { workshopSockets } from './lib/socket/index.ts';
import { readerSettings } from './lib/socket/readers.ts';
import { openLimits } from './limiting.ts';
import { type Lively, lively } from './lively.ts';
import { connect } from './log/redis/connect.ts';
import { type Metrics, metrics } from './observe/metrics.ts';
import { type NodeStatus, nodesOn, statusOf } from './observe/nodes.ts';
import { observedProjector } from './projector.ts';
import { namespace } from './protocol/wire.ts';
import { openStores, redisAddress, type Stores } from './stores.ts';
import { inTime } from './timing/inTime.ts';

export interface RunningServer {
  about: About;
  /** Ends what is under way and gives everything back; nobody is recorded as having left. */
  close(): Promise<void>;
}

/** Over how long clients move to other nodes, if the configuration does not say so, in milliseconds. */
const usualDrainMs = 10_000;
/** How long answers that are being read may take at the end. */
const lastAnswersMs = 4_000;
/** How long a store that does not answer is waited for at the end. */
const lastCommitsMs = 5_000;

/** Where it is and what it runs on, without secrets. */
export interface About {
  url: string;
  role: Config['ROLE'];
  log: string;
  database: string;
  guests: boolean;
}

/** `makePage` gives the page that is served at `/`. */
export async function startServer(
  config: Config,
  logger: Logger,
  makePage: () => Promise<BundledPage> = bundlePage,
): Promise<RunningServer> {
  const stores = await openStores(config, logger);
  /** What was opened so far, the last thing first. */
  const opened: (() => unknown)[] = [() => stores.close()];
  const close = async () => {
    for (const closing of opened.splice(0)) {
      try {
        await closing();
      } catch (error) {
        // The others still want to end well.
        logger.warn({ err: error }, 'something did not end as it should');
      }
    }
  };
  try {
    return { about: await serve({ config, logger, stores, opened, makePage }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Serving {
  config: Config;
  logger: Logger;
  stores: Stores;
  opened: (() => unknown)[];
  makePage(): Promise<BundledPage>;
}

async function serve({ config, logger, stores, opened, makePage }: Serving): Promise<About> {
  // Before anything is written to either.
  await stores.recognized();
  const { log, database, stored, history, folder, secret } = stores;
  // New at each start: what a former process of this machine held is not this one's.
  const node = randomUUID().slice(0, 13);
  const measured = metrics();
  const engine = workshopEngine({
    ...{ log, node, observer: engineObserver(measured, logger) },
    ...(stored !== undefined && { archive: stored }),
  });
  opened.unshift(() => engine.close());
  const limiting = await openLimits(config, measured, logger);
  opened.unshift(() => limiting.close());
  const shared = {
    engine,
    log,
    metrics: measured,
    tokens: tokens({
      secret,
      jwksUrl: config.AUTH_JWKS_URL,
      issuer: config.AUTH_ISSUER,
      audience: config.AUTH_AUDIENCE,
      guests: config.guests,
    }),
    origins: origins({ allowed: config.CORS_ORIGINS, publicUrl: config.PUBLIC_URL }),
    addresses: addresses(config.TRUST_PROXY),
    limits: limiting.limits,
    node,
  };
  const key = randomUUID();
  // Whoever tries the product out is alone with it: nowhere else are people made up.
  const isTrial = config.embedded && config.guests && !config.production;
  let demonstrate: (demonstration: Lively) => void = () => undefined;
  const demonstrating = new Promise<Lively>((resolve) => {
    demonstrate = resolve;
  });
  const serves = config.ROLE !== 'projector';
  const page = serves ? await makePage() : undefined;
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
    ...(page !== undefined && { page }),
    ...(isTrial && { lively: async () => (await demonstrating).start() }),
    ...(folder !== undefined && { operatorKey: operatorKey(key) }),
    operationsOnly: !serves,
  });
  const connections = connectionsOf(app.server);
  opened.unshift(() => connections.endWithin(lastAnswersMs, app.close()));

  const adapterRedis = await adapterConnection(config, logger);
  opened.unshift(() => adapterRedis?.disconnect());
  const scope = scopeOf(config);
  const adapter = adapterRedis && redisAdapter(adapterRedis, scope);
  const sockets = serves
    ? workshopSockets({
        ...shared,
        http: app.server,
        logger,
        corsOrigins: config.CORS_ORIGINS,
        presence: { graceMs: config.PRESENCE_GRACE_MS, leaseMs: config.PRESENCE_LEASE_MS },
        timers: {
          lobbyOpensMinutes: config.LOBBY_OPENS_MINUTES,
          maxLiveHours: config.MAX_LIVE_HOURS,
          hostAbsentMinutes: config.HOST_ABSENT_MINUTES,
        },
        adapter,
        admission: limiting.admission,
        readers: readerSettings,
      })
    : undefined;
  servedUnder(config.basePath, app.server);
  opened.unshift(async () => sockets && connections.endWithin(lastAnswersMs, sockets.close()));
  const alone = adapter && !sockets ? adapterWithoutSockets(adapter) : undefined;
  opened.unshift(() => alone?.close());
  const circle = alone?.nsp ?? (adapter && sockets?.io.of(namespace));
  if (circle !== undefined) nodes = nodesOn(circle, self);
  const projector =
    config.ROLE === 'gateway'
      ? undefined
      : observedProjector({
          ...{ log, database, history, node, metrics: measured, logger },
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
  // A log that lost workshops must not give their ids to others. Where the database is away this waits for it.
  database.ready
    .then(() => highestWorkshopId(database))
    .then((highest) => log.ids.raise(highest))
    .catch((error: unknown) =>
      logger.warn({ err: error }, 'workshop ids could not be compared with the database'),
    );
  await sockets?.ready;
  // An embedded database is this process' own: who finds the server up mostly finds it up. A Postgres may be away.
  if (database.kind === 'pglite') await Promise.race([database.ready, pause(embeddedPatienceMs)]);
  await app.listen({ port: config.PORT, host: config.HOST });
  const url = `http://${isIPv6(config.HOST) ? `[${config.HOST}]` : config.HOST}:${(app.server.address() as AddressInfo).port}`;
  if (isTrial && secret !== undefined) {
    const demonstration = lively({
      ...{ url: ownAddress(app.server.address() as AddressInfo), secret, graceMs: config.PRESENCE_GRACE_MS },
      ...{ issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE },
      onFailure: (error) => logger.warn({ err: error }, 'the simulated workshop broke off'),
    });
    demonstrate(demonstration);
    opened.unshift(() => demonstration.close());
  }
  await folder?.announce({ pid: process.pid, url, key });

  return {
    url,
    role: config.ROLE,
    log: whereLog(config, stores),
    database: whereDatabase(config, stores),
    guests: config.guests,
  };
}

/** Where this process reaches itself, whatever it listens on. */
function ownAddress({ address, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
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

/** Its very first start takes some seconds of computing; rooms are served before lists on a machine that is busy. */
const embeddedPatienceMs = 8_000;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** What crosses nodes beside room events, which need no adapter: they come from the log on every node. */
async function adapterConnection(config: Config, logger: Logger) {
  const address = redisAddress(config);
  if (address === undefined) return undefined;
  return connect(address, 'doorbell', (error) => logger.debug({ err: error }, 'the adapter lost Redis'));
}

/** Of two products in one Redis each has its own number of a database; a cluster has only one, and so have Sentinels here. */
function scopeOf({ REDIS_URL: url }: Config): string {
  if (url === undefined) return '';
  const { protocol, pathname, searchParams } = new URL(url);
  return protocol === 'unix:' ? (searchParams.get('db') ?? '') : pathname.slice(1);
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

function whereLog(config: Config, { folder }: Stores): string {
  if (config.REDIS_URL !== undefined) return withoutPassword(config.REDIS_URL);
  const nodes = config.REDIS_CLUSTER_NODES ?? config.REDIS_SENTINELS;
  if (nodes !== undefined) return nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  return folder?.file('log') ?? '';
}

function whereDatabase(config: Config, { folder }: Stores): string {
  return config.DATABASE_URL === undefined
    ? (folder?.file('database') ?? '')
    : shownAddress(parseAddress(config.DATABASE_URL));
}

function withoutPassword(given: string): string {
  const url = new URL(given);
  url.password = '';
  return url.href;
}
