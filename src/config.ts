/**
 * The configuration: read from the environment once, here and nowhere else, and checked before anything starts.
 * A bad value ends the process with one line that names it.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
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
const words = z.string().transform((value) =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const address = z
  .string()
  .regex(/^[^:\s]+:\d{1,5}$/, 'must be host:port')
  .refine((value) => Number(value.split(':')[1]) <= 65_535, 'must be host:port')
  .transform((value) => {
    const [host = '', port = ''] = value.split(':');
    return { host, port: Number(port) };
  });
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

const environment = z.object({
  NODE_ENV: z.string().default('development'),
  PORT: whole(0, 65_535).default(3_000),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: origin.optional(),
  TRUST_PROXY: proxies.optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  REDIS_CLUSTER_NODES: words.pipe(z.array(address).min(1, 'must name a node')).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  MIGRATE_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
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
}

/** Says in one line which variable is wrong and why. */
export class ConfigError extends Error {}

export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  // A variable that is set to nothing is not set: so do Compose files and shells pass on what they do not have.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError(`${issue?.path.join('.') ?? 'configuration'}: ${issue?.message ?? 'is not valid'}`);
  }
  const config = parsed.data;
  const production = config.NODE_ENV === 'production';
  const redis = config.REDIS_URL !== undefined || config.REDIS_CLUSTER_NODES !== undefined;
  const embedded = !redis && config.DATABASE_URL === undefined;
  if (config.REDIS_URL !== undefined && config.REDIS_CLUSTER_NODES !== undefined)
    throw new ConfigError('REDIS_CLUSTER_NODES: give this or REDIS_URL, not both');
  if (config.AUTH_SECRET !== undefined && config.AUTH_JWKS_URL !== undefined)
    throw new ConfigError(
      'AUTH_JWKS_URL: give this or AUTH_SECRET, not both: one of them says how tokens are checked',
    );
  const signed = config.AUTH_SECRET !== undefined || config.AUTH_JWKS_URL !== undefined;
  if (production && !signed) throw new ConfigError('AUTH_SECRET: production needs this or AUTH_JWKS_URL');
  if (config.ROLE !== 'all' && !(redis && config.DATABASE_URL !== undefined))
    throw new ConfigError(`ROLE: ${config.ROLE} needs REDIS_URL and DATABASE_URL, so that nodes share them`);
  const guests = config.GUESTS ?? (embedded && config.AUTH_JWKS_URL === undefined);
  if (guests && config.AUTH_JWKS_URL !== undefined)
    throw new ConfigError('GUESTS: guests are signed in with AUTH_SECRET, which AUTH_JWKS_URL replaces');
  const weak = production ? weakSettings(config) : [];
  if (weak.length > 0) throw new ConfigError(`not in production: ${weak.join('; ')}`);
  return { ...config, production, embedded, guests };
}
