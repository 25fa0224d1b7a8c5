/** What `attachWorkshops` takes: the configuration in camelCase, and what only a program can hand over. */
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import { type Config, ConfigError, type ConfigOptions, configOf, isConfigOption } from './config.ts';
import type { Authenticate } from './identity/callers.ts';

export interface AttachOptions extends Omit<ConfigOptions, 'role'> {
  /** REST is put in front of what this server answers already; left out, `handler` is yours to call. */
  http?: HttpServer | HttpsServer | undefined;
  /**
   * Where events are kept: the address of a Redis, or its settings (`{ redisClusterNodes, redisPassword }`). `{ dataDir }`, or
   * nothing, keeps them in a folder of this process.
   */
  log?: string | LogOptions | undefined;
  /** The address of a Postgres, or `{ databaseUrl }`. `{ dataDir }`, or nothing, keeps tables in a folder of this process. */
  database?: string | DatabaseOptions | undefined;
  /** Says who calls, in place of tokens. */
  authenticate?: Authenticate | undefined;
  /** `projector` is a process of its own. */
  role?: 'all' | 'gateway' | undefined;
  /** pino's interface; a logger of our own to stderr, at `logLevel`, if left out. */
  logger?: Logger | undefined;
}

export type LogOptions = Pick<
  ConfigOptions,
  | 'redisUrl'
  | 'redisClusterNodes'
  | 'redisSentinels'
  | 'redisSentinelMaster'
  | 'redisSentinelPassword'
  | 'redisUsername'
  | 'redisPassword'
  | 'redisTls'
  | 'dataDir'
>;
export type DatabaseOptions = Pick<ConfigOptions, 'databaseUrl' | 'migrateDatabaseUrl' | 'dataDir'>;

export interface Attaching extends Pick<AttachOptions, 'http' | 'authenticate' | 'logger'> {
  config: Config;
}

const logOptions: readonly (keyof LogOptions)[] = [
  'redisUrl',
  'redisClusterNodes',
  'redisSentinels',
  'redisSentinelMaster',
  'redisSentinelPassword',
  'redisUsername',
  'redisPassword',
  'redisTls',
  'dataDir',
];
const databaseOptions: readonly (keyof DatabaseOptions)[] = ['databaseUrl', 'migrateDatabaseUrl', 'dataDir'];

/** Throws a `ConfigError` that names the option which is wrong, before anything is opened. */
export function readOptions(options: AttachOptions): Attaching {
  if (typeof options !== 'object' || options === null) throw wrong('options must be an object');
  const { http, log, database, authenticate, logger, ...rest } = options;
  for (const name of Object.keys(rest))
    if (!isConfigOption(name)) throw wrong(`${name}: there is no such option${hint(name)}`);
  if (authenticate !== undefined && typeof authenticate !== 'function')
    throw wrong('authenticate: must be a function');
  if (http !== undefined && typeof http?.on !== 'function') throw wrong('http: must be an HTTP server');
  const settings: ConfigOptions = merged(
    ...[rest, settingsOf('log', log, 'redisUrl', logOptions)],
    settingsOf('database', database, 'databaseUrl', databaseOptions),
  );
  if (settings.role === 'projector')
    throw wrong('role: a projector serves no workshops: run `workshop project` beside this process');
  if (authenticate !== undefined)
    for (const name of ['authSecret', 'authJwksUrl', 'authIssuer', 'authAudience', 'guests'] as const)
      if (settings[name] !== undefined && settings[name] !== false)
        throw wrong(`${name}: give this or authenticate, not both`);
  return {
    config: configOf(settings, authenticate !== undefined),
    ...{ http, authenticate, logger },
  };
}

/** Throws where it is none that can be served on. */
export function requireSocketIo(io: unknown): asserts io is Server {
  const given = io as Partial<Server> & { nsps?: unknown };
  if (typeof given?.of !== 'function')
    throw new TypeError('attachWorkshops: the first argument must be a Server of Socket.IO 4');
  // Socket.IO 2 has its namespaces in a plain object; 3 cannot reach the sockets of a namespace.
  if (given.nsps !== undefined || typeof given.disconnectSockets !== 'function')
    throw new TypeError(
      `attachWorkshops: this is Socket.IO ${given.nsps === undefined ? 3 : 2}: upgrade to socket.io 4`,
    );
}

function settingsOf(option: string, given: unknown, url: string, names: readonly string[]): ConfigOptions {
  if (given === undefined) return {};
  if (typeof given === 'string') return { [url]: given };
  if (typeof given !== 'object' || given === null) throw wrong(`${option}: must be an address or an object`);
  for (const name of Object.keys(given))
    if (!names.includes(name)) throw wrong(`${option}.${name}: there is no such option: ${names.join(', ')}`);
  return given;
}

/** The same option may be given in two places, where it says the same. */
function merged(...parts: ConfigOptions[]): ConfigOptions {
  const all: Record<string, unknown> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    if (value === undefined) continue;
    if (name in all && all[name] !== value) throw wrong(`${name}: is given twice, and not alike`);
    all[name] = value;
  }
  return all;
}

function hint(name: string): string {
  if (/^[A-Z\d_]+$/.test(name)) return ': options are written in camelCase';
  if (['port', 'host'].includes(name)) return ': your HTTP server listens';
  return '';
}

function wrong(message: string): ConfigError {
  return new ConfigError(`attachWorkshops: ${message}`);
}
