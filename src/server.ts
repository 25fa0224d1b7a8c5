/**
 * A process of our own: its stores, a node on them (`assembly.ts`), and the HTTP server on which it is reached. What runs is the
 * configuration's matter (`ROLE`).
 */
import { randomUUID } from 'node:crypto';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import { parseAddress, shownAddress } from '../projections/database/address.ts';
import { type BundledPage, bundlePage } from '../web/bundle.ts';
import { serveUnder } from './api/basePath.ts';
import { assemble, closeAll, type Doorway, type DoorwayParts } from './assembly.ts';
import type { Config } from './config.ts';
import { connectionsOf } from './connections.ts';
import { operatorKey } from './identity/operatorKey.ts';
import { adapterWithoutSockets, redisAdapter } from './lib/socket/adapter.ts';
import { workshopSockets } from './lib/socket/index.ts';
import { type Lively, lively } from './lively.ts';
import { connect } from './log/redis/connect.ts';
import { namespace } from './protocol/wire.ts';
import { openStores, redisAddress, type Stores } from './stores.ts';
import { promised } from './timing/promised.ts';

export interface RunningServer {
  about: About;
  /** Ends what is under way and gives everything back; nobody is recorded as having left. */
  close(): Promise<void>;
}

/** How long answers that are being read may take at the end. */
const lastAnswersMs = 4_000;
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
  const close = () => closeAll(opened, logger);
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
  const { folder, secret } = stores;
  const key = randomUUID();
  // Whoever tries the product out is alone with it: nowhere else are people made up.
  const isTrial = config.embedded && config.guests && !config.production;
  const demonstrating = promised<Lively>();
  const serves = config.ROLE !== 'projector';
  const page = serves ? await makePage() : undefined;
  const { app, ready } = await assemble({
    ...{ config, logger, stores, opened },
    rest: {
      ...(page !== undefined && { page }),
      ...(isTrial && { lively: async () => (await demonstrating.promise).start() }),
      ...(folder !== undefined && { operatorKey: operatorKey(key) }),
      operationsOnly: !serves,
    },
    open: (parts) => ownDoorway({ config, logger, opened, serves }, parts),
  });
  await ready;
  await app.listen({ port: config.PORT, host: config.HOST });
  const url = `http://${isIPv6(config.HOST) ? `[${config.HOST}]` : config.HOST}:${(app.server.address() as AddressInfo).port}`;
  if (isTrial && secret !== undefined) {
    const demonstration = lively({
      ...{ url: ownAddress(app.server.address() as AddressInfo), secret, graceMs: config.PRESENCE_GRACE_MS },
      ...{ issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE },
      onFailure: (error) => logger.warn({ err: error }, 'the simulated workshop broke off'),
    });
    demonstrating.resolve(demonstration);
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

function ownAddress({ address, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}

/** REST and sockets on an HTTP server of our own; a process that serves no workshops has no sockets, and reaches the others. */
async function ownDoorway(
  { config, logger, opened, serves }: Pick<Serving, 'config' | 'logger' | 'opened'> & { serves: boolean },
  { app, origins, sockets: parts }: DoorwayParts,
): Promise<Doorway> {
  const connections = connectionsOf(app.server);
  opened.unshift(() => connections.endWithin(lastAnswersMs, app.close()));
  const adapterRedis = await adapterConnection(config, logger);
  opened.unshift(() => adapterRedis?.disconnect());
  const adapter = adapterRedis && redisAdapter(adapterRedis, scopeOf(config));
  const http = { http: app.server, corsOrigins: config.CORS_ORIGINS, adapter };
  const sockets = serves ? workshopSockets({ ...parts, ...http, origins }) : undefined;
  serveUnder(config.basePath, app.server);
  opened.unshift(async () => sockets && connections.endWithin(lastAnswersMs, sockets.close()));
  const alone = adapter && !sockets ? adapterWithoutSockets(adapter) : undefined;
  opened.unshift(() => alone?.close());
  return { sockets, circle: alone?.nsp ?? (adapter && sockets?.io.of(namespace)) };
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
