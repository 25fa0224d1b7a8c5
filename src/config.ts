/**
 * The configuration: read from the environment once, here and nowhere else, and checked before anything starts.
 * A bad value ends the process with one line that names it.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { AddressError, parseAddress } from '../projections/database/address.ts';
import { addresses, type TrustedProxies } from './identity/address.ts';
import { weakSettings } from './weakSettings.ts';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
/** A number as people write it: neither `0x10`, `1e3` nor a space is one. */
const decimal = z
  .string()
  .regex(/^-?(\d{1,15}(\.\d*)?|\.\d+)$/, 'must be a number')
  .transform(Number);
const whole = (min: number, max: number) => decimal.pipe(z.number().int().min(min).max(max));
const origin = z.url({ protocol: /^https?$/ }).transform((value) => new URL(value).origin);
/** Without a slash at its end. */
const publicUrl = z
  .url({ protocol: /^https?$/ })
  .transform((value) => {
    const { origin, pathname } = new URL(value);
    return `${origin}${pathname.replace(/\/+$/, '')}`;
  })
  // It is written into addresses of the page.
  .refine((value) => /^[\w\-.~/:[\]%]*$/.test(value), 'must have a plain path');
const words = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
/** `host:port`, or `[address]:port` for IPv6. */
const address = z.string().transform((value, context) => {
  const [, bracketed, plain, port] = /^(?:\[([\da-fA-F:.]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(value) ?? [];
  if (port === undefined || Number(port) > 65_535) context.addIssue('must be host:port');
  return { host: bracketed ?? plain ?? '', port: Number(port) };
});
const addressList = words.pipe(z.array(address).min(1, 'must name a node'));
/** What is checked here is looked at again by whoever reads it, less strictly: `1.5` is an address to some. */
function isProxy(part: string): boolean {
  try {
    addresses([part]);
  } catch {
    return false;
  }
  return /^[a-z]+$/.test(part) || isIP(part.split('/', 1)[0] ?? '') !== 0;
}

const proxies = words.transform((parts, context): TrustedProxies => {
  const [first = ''] = parts;
  if (parts.length === 1 && /^\d{1,2}$/.test(first)) return Number(first);
  if (!parts.every(isProxy))
    context.addIssue('must be a number of proxies, or addresses and ranges separated by commas');
  return parts;
});

/** What is checked here is read again by whoever connects. */
const database = z.string().superRefine((url, context) => {
  try {
    parseAddress(url);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    context.addIssue(error.message);
  }
});

const environment = z.object({
  NODE_ENV: z.string().default('development'),
  PORT: whole(0, 65_535).default(3_000),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: publicUrl.optional(),
  TRUST_PROXY: proxies.optional(),
  REDIS_URL: z.url({ protocol: /^(rediss?|unix)$/ }).optional(),
  REDIS_CLUSTER_NODES: addressList.optional(),
  REDIS_SENTINELS: addressList.optional(),
  REDIS_SENTINEL_MASTER: z.string().min(1).optional(),
  REDIS_SENTINEL_PASSWORD: z.string().min(1).optional(),
  REDIS_USERNAME: z.string().min(1).optional(),
  REDIS_PASSWORD: z.string().min(1).optional(),
  REDIS_TLS: flag.optional(),
  DATABASE_URL: database.optional(),
  MIGRATE_DATABASE_URL: database.optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  ROLE: z.enum(['all', 'gateway', 'projector']).default('all'),
  AUTH_SECRET: z.string().min(32, 'must have 32 characters at least').optional(),
  AUTH_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  AUTH_ISSUER: z.string().min(1).optional(),
  AUTH_AUDIENCE: z.string().min(1).optional(),
  CORS_ORIGINS: words.pipe(z.array(origin)).default([]),
  GUESTS: flag.optional(),
  PRESENCE_GRACE_MS: whole(0, 600_000).default(15_000),
  PRESENCE_LEASE_MS: whole(500, 600_000).default(15_000),
  // Everything else that ending takes has to fit into the 25 s after which a process ends whatever is under way.
  DRAIN_MS: whole(0, 15_000).optional(),
  LOBBY_OPENS_MINUTES: whole(0, 1_440).default(15),
  MAX_LIVE_HOURS: decimal.pipe(z.number().positive().max(168)).default(12),
  HOST_ABSENT_MINUTES: decimal.pipe(z.number().positive().max(1_440)).default(30),
  ARCHIVE_AFTER_MINUTES: decimal.pipe(z.number().min(0).max(525_600)).default(60),
  RATE_LIMIT_SCALE: decimal.pipe(z.number().min(0).max(1_000)).default(1),
  WEBHOOK_SECRET: z.string().min(32, 'must have 32 characters at least').optional(),
  WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  ALLOW_VOLATILE_LOG: flag.default(false),
  TRUST_NETWORK: flag.default(false),
  SIMULATE_TOKEN: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

type Environment = z.infer<typeof environment>;

export interface Config extends Environment {
  production: boolean;
  /** One process with an LMDB log and PGlite under `DATA_DIR`. */
  embedded: boolean;
  guests: boolean;
  /** The program that has us built in says who calls: no tokens are checked. */
  signsIn: boolean;
  /** The path of `PUBLIC_URL`, without a slash at its end; mostly there is none. */
  basePath: string;
}

/** Says in one line which variable is wrong and why. */
export class ConfigError extends Error {}

/** Whether `npm start`, `npx` or their like started this process: through a shell, which is then its parent. */
export function isRunByPackageManager(env: NodeJS.ProcessEnv = process.env): boolean {
  return env.npm_lifecycle_event !== undefined;
}

export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  return checked(env);
}

/** `signsIn` where the application does, so that no tokens are checked. */
function checked(env: NodeJS.ProcessEnv, signsIn = false): Config {
  // A variable that is set to nothing is not set: so do Compose files and shells pass on what they do not have.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(`${issue?.path.join('.') ?? 'configuration'}: ${issue?.message ?? 'is not valid'}`);
  }
  const config = parsed.data;
  const production = config.NODE_ENV === 'production';
  const redis = whichRedis(config) !== undefined;
  const embedded = !redis && config.DATABASE_URL === undefined;
  if (config.AUTH_SECRET !== undefined && config.AUTH_JWKS_URL !== undefined)
    throw new ConfigError(
      'AUTH_JWKS_URL: give this or AUTH_SECRET, not both: one of them says how tokens are checked',
    );
  const signed = signsIn || config.AUTH_SECRET !== undefined || config.AUTH_JWKS_URL !== undefined;
  if (production && !signed) throw new ConfigError('AUTH_SECRET: production needs this or AUTH_JWKS_URL');
  if (config.ROLE !== 'all' && !(redis && config.DATABASE_URL !== undefined))
    throw new ConfigError(`ROLE: ${config.ROLE} needs REDIS_URL and DATABASE_URL, so that nodes share them`);
  const guests = config.GUESTS ?? (embedded && !signsIn && config.AUTH_JWKS_URL === undefined);
  if (guests && config.AUTH_JWKS_URL !== undefined)
    throw new ConfigError('GUESTS: guests are signed in with AUTH_SECRET, which AUTH_JWKS_URL replaces');
  const weak = production ? weakSettings(config) : [];
  if (weak.length > 0) throw new ConfigError(`not in production: ${weak.join('; ')}`);
  const basePath = new URL(config.PUBLIC_URL ?? 'http://localhost').pathname.replace(/\/$/, '');
  return { ...config, production, embedded, guests, signsIn, basePath };
}

/** The setting that names the log's Redis; undefined where there is none. Settings that belong to another one are refused. */
function whichRedis(config: Environment): string | undefined {
  const [which, ...more] = (['REDIS_URL', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'] as const).filter(
    (name) => config[name] !== undefined,
  );
  const [other] = more;
  if (other !== undefined) throw new ConfigError(`${other}: give this or ${which}, not both`);
  if (which === 'REDIS_SENTINELS' && config.REDIS_SENTINEL_MASTER === undefined)
    throw new ConfigError('REDIS_SENTINEL_MASTER: REDIS_SENTINELS needs the name of the primary');
  for (const name of ['REDIS_SENTINEL_MASTER', 'REDIS_SENTINEL_PASSWORD'] as const)
    if (config[name] !== undefined && which !== 'REDIS_SENTINELS')
      throw new ConfigError(`${name}: belongs to REDIS_SENTINELS, which is not set`);
  // A user and a password are not refused: Compose files keep them under these names for a URL that is made of them.
  if (config.REDIS_TLS === true && config.REDIS_URL?.startsWith('redis:'))
    throw new ConfigError('REDIS_TLS: a REDIS_URL says it itself: rediss://');
  return which;
}

type CamelCase<S extends string> = S extends `${infer Word}_${infer Rest}`
  ? `${Lowercase<Word>}${CapitalCase<Rest>}`
  : Lowercase<S>;
type CapitalCase<S extends string> = S extends `${infer Word}_${infer Rest}`
  ? `${Capitalize<Lowercase<Word>>}${CapitalCase<Rest>}`
  : Capitalize<Lowercase<S>>;

/** What belongs to a process of our own: where it listens, and what its commands take. */
const ownProcess = ['NODE_ENV', 'PORT', 'HOST', 'SIMULATE_TOKEN'] as const;
type OptionVariable = Exclude<keyof Environment, (typeof ownProcess)[number]>;

/** The configuration in camelCase, for who has us in a program of their own. Lists may be given as lists. */
export type ConfigOptions = {
  [N in OptionVariable as CamelCase<N>]?:
    | string
    | number
    | boolean
    | readonly (string | number)[]
    | undefined;
};
export type ConfigOption = keyof ConfigOptions;

const variables = new Map(
  (Object.keys(environment.shape) as OptionVariable[])
    .filter((name) => !(ownProcess as readonly string[]).includes(name))
    .map((name) => [camelCase(name), name] as const),
);

export function isConfigOption(name: string): name is ConfigOption {
  return variables.has(name);
}

/**
 * The configuration that the options give; of the environment `NODE_ENV` alone counts. `signsIn` where the program itself says who
 * calls. Throws as `readConfig` does, in the options' names.
 */
export function configOf(options: ConfigOptions, signsIn: boolean, env = process.env): Config {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const asVariables = given.map(([name, value]) => [variables.get(name), String(value)]);
  try {
    return checked({ NODE_ENV: env.NODE_ENV, ...Object.fromEntries(asVariables) }, signsIn);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.message.replace(/\b[A-Z]+(?:_[A-Z]+)+\b|\bROLE\b|\bGUESTS\b/g, inCamelCase));
  }
}

function inCamelCase(name: string): string {
  return isConfigOption(camelCase(name)) ? camelCase(name) : name;
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
