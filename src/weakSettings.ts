/**
 * Settings that no production may have: what anyone can guess, and what carries tokens or passwords in the clear over a
 * network. Only what is certainly weak is named; values are never repeated.
 */
import { parseAddress } from '../projections/database/address.ts';
import { isLoopback } from './identity/address.ts';

export interface LookedAt {
  AUTH_SECRET?: string | undefined;
  AUTH_JWKS_URL?: string | undefined;
  CORS_ORIGINS: readonly string[];
  PUBLIC_URL?: string | undefined;
  REDIS_URL?: string | undefined;
  REDIS_CLUSTER_NODES?: readonly { host: string }[] | undefined;
  REDIS_SENTINELS?: readonly { host: string }[] | undefined;
  REDIS_PASSWORD?: string | undefined;
  DATABASE_URL?: string | undefined;
  /** Nobody else is on the network: what it carries in the clear stays there. */
  TRUST_NETWORK: boolean;
}

/** Ours, from tests and documents, and what templates put where a secret is to be written. */
const samples = [
  /a secret of (the tests|thirty-two)/i,
  /(change|replace|insert).?(me|this|it|before|in.production)/i,
  /your.?(own.?|auth.?|jwt.?|super.?)*secret/i,
  /openssl rand/i,
];
const guessable = new Set(['password', 'postgres', 'workshop', 'redis', 'secret', 'admin', 'changeme']);

/** One entry for each, `NAME: why`, in the order in which they are documented; empty where all is well. */
export function weakSettings(given: LookedAt): string[] {
  const found: string[] = [];
  const { AUTH_SECRET: secret, TRUST_NETWORK: trusted } = given;
  if (secret !== undefined && samples.some((sample) => sample.test(secret)))
    found.push('AUTH_SECRET: is a sample that everyone knows; make one with openssl rand -base64 48');
  if (trusted) return found;
  if (isInTheClear(given.PUBLIC_URL)) found.push('PUBLIC_URL: must be https');
  if (isInTheClear(given.AUTH_JWKS_URL)) found.push('AUTH_JWKS_URL: must be https');
  if (given.CORS_ORIGINS.some((origin) => isInTheClear(origin)))
    found.push('CORS_ORIGINS: must be https origins');
  const weakRedis = passwordWeakness(given.REDIS_URL);
  if (weakRedis !== undefined) found.push(`REDIS_URL: ${weakRedis}`);
  const weakDatabase = databaseWeakness(given.DATABASE_URL);
  if (weakDatabase !== undefined) found.push(`DATABASE_URL: ${weakDatabase}`);
  const nodes = given.REDIS_CLUSTER_NODES ?? given.REDIS_SENTINELS ?? [];
  if (nodes.some(({ host }) => !isLoopback(host))) {
    const weakness =
      given.REDIS_PASSWORD === undefined
        ? 'is not set, and the store is on another host'
        : weaknessOf(given.REDIS_PASSWORD);
    if (weakness !== undefined) found.push(`REDIS_PASSWORD: ${weakness}`);
  }
  return found;
}

function isInTheClear(address = ''): boolean {
  return address.startsWith('http:') && !isThisMachine(new URL(address));
}

function passwordWeakness(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const url = new URL(address);
  if (isThisMachine(url)) return undefined;
  if (url.password === '' && url.searchParams.has('password')) return undefined;
  return weaknessOf(decodeURIComponent(url.password));
}

function databaseWeakness(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const { hosts, password = '', tls } = parseAddress(address);
  if (hosts.every((each) => 'path' in each || isLoopback(each.host))) return undefined;
  // Whoever signs in by a certificate needs no password.
  return tls?.certificate === undefined ? weaknessOf(password) : undefined;
}

function weaknessOf(password: string): string | undefined {
  if (password === '') return 'has no password, and the store is on another host';
  if (guessable.has(password.toLowerCase()))
    return 'has a password that anyone guesses, and the store is on another host';
  return undefined;
}

/** Loopback, or no host at all: a socket file. */
function isThisMachine({ hostname }: URL): boolean {
  return hostname === '' || isLoopback(hostname);
}
