/** Who calls, and whether the route is for them: asked before anything else of a request is read. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { User } from '../domain/define.ts';
import { type Addresses, countedAs } from '../identity/address.ts';
import { type Callers, callersByToken } from '../identity/callers.ts';
import { type OperatorKey, operatorKeyHeader } from '../identity/operatorKey.ts';
import type { Origins } from '../identity/origin.ts';
import type { Tokens } from '../identity/token.ts';
import type { Limits } from '../limits/limiter.ts';
import type { Kind } from '../limits/table.ts';
import { CodedError } from '../protocol/errors.ts';
import { refused } from './errors.ts';

export interface IdentityParts {
  tokens: Tokens;
  /** Who calls; by those tokens if left out. */
  callers?: Callers | undefined;
  origins: Origins;
  addresses: Addresses;
  limits: Limits;
  /** Opens the routes of admins to the command line of this machine. */
  operatorKey?: OperatorKey;
}

/** Every route under `/api` says who it is for; one that does not fails the start. */
export function identify(app: FastifyInstance, parts: IdentityParts): void {
  const { tokens, origins, addresses, limits, operatorKey } = parts;
  const callers = parts.callers ?? callersByToken(tokens, origins);
  app.decorateRequest('caller', null);
  app.addHook('onRoute', ({ url, config }) => {
    if (url.startsWith('/api/') && config?.who === undefined) throw new Error(`who is ${url} for?`);
  });
  app.addHook('onRequest', async (request) => {
    const { who, countsAs = ['change'] } = request.routeOptions.config;
    if (who === undefined) return;
    const key = request.headers[operatorKeyHeader];
    if (who === 'admin' && key !== undefined) {
      if (operatorKey?.opens(String(key), request.raw.socket) !== true) {
        await take('unauthenticated', request);
        throw refused('unauthenticated');
      }
      request.caller = operator;
      return;
    }
    // Probes of the process itself are let through, however often they come.
    const isLimited = request.url.startsWith('/api/');
    if (who === 'visitor') request.caller = await identified(request, isLimited).catch(nobodyIfUnknown);
    else if (who !== 'anyone') request.caller = await identified(request, isLimited);
    if (isLimited && who === 'anyone') await take('guest', request);
    if (isLimited && who !== 'anyone') await take('request', request);
    if (isLimited && who !== 'anyone' && changes(request))
      for (const kind of countsAs) await take(kind, request);
    if (who === 'admin' && !callerOf(request).roles.includes('admin')) throw refused('forbidden');
  });

  async function take(kind: Kind, { caller, raw }: FastifyRequest): Promise<void> {
    const address = countedAs(addresses.of(raw));
    const verdict = await limits.take(kind, { user: caller?.userId, address });
    if (verdict.ok) return;
    throw new CodedError('rate_limited', undefined, { retryAfterMs: verdict.retryAfterMs });
  }

  async function identified(request: FastifyRequest, isLimited: boolean): Promise<User> {
    try {
      return await authenticated(request);
    } catch (error) {
      // Whatever was wrong, it is counted alike: what is said then tells nothing about the token.
      if (isLimited) await take('unauthenticated', request);
      throw error;
    }
  }

  async function authenticated(request: FastifyRequest): Promise<User> {
    const { headers } = request;
    const token = bearer(headers.authorization);
    const auth = token === undefined ? {} : { token };
    const { user } = await callers.identify({
      ...{ headers, auth, encrypted: isEncrypted(request), changes: changes(request) },
    });
    return user;
  }
}

/** Keys that cannot be fetched, or a limit, are no answer to who someone is. */
function nobodyIfUnknown(error: unknown): null {
  if (error instanceof CodedError && ['unauthenticated', 'token_expired'].includes(error.code)) return null;
  throw error;
}

/** Whoever has the key of the data folder. No token has user id 0. */
const operator: User = {
  ...{ kind: 'user', userId: 0, displayName: 'operator', avatarUrl: null },
  roles: ['admin'],
};

export function isOperator({ userId }: User): boolean {
  return userId === operator.userId;
}

/** The caller of a route that is for signed-in users. */
export function callerOf({ caller }: FastifyRequest): User {
  if (caller === null) throw new Error('this route lets anyone in, and asks who it was');
  return caller;
}

/** Who asks for something of operators, as the log and the tables of what they did say it. */
export function askingOf(request: FastifyRequest): string {
  const caller = callerOf(request);
  return isOperator(caller) ? 'the command line' : `user ${caller.userId}`;
}

export function isEncrypted({ raw }: FastifyRequest): boolean {
  return 'encrypted' in raw.socket;
}

function changes({ method }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/** RFC 6750, 2.1; the scheme's case does not matter. */
function bearer(header: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}
