/** Who calls, and whether the route is for them: asked before anything else of a request is read. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { User } from '../domain/define.ts';
import { type OperatorKey, operatorKeyHeader } from '../identity/operatorKey.ts';
import { type Origins, tokenCookie } from '../identity/origin.ts';
import type { Tokens } from '../identity/token.ts';
import { refused } from './errors.ts';
import type { Asking } from './parts.ts';

export interface IdentityParts {
  tokens: Tokens;
  origins: Origins;
  /** Opens the routes of admins to the command line of this machine. */
  operatorKey?: OperatorKey;
  limit?: (asking: Asking) => Promise<void>;
}

/** Every route under `/api` says who it is for; one that does not fails the start. */
export function identify(app: FastifyInstance, { tokens, origins, operatorKey, limit }: IdentityParts): void {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', ({ url, config }) => {
    if (url.startsWith('/api/') && config?.who === undefined) throw new Error(`who is ${url} for?`);
  });
  app.addHook('onRequest', async (request) => {
    const { who } = request.routeOptions.config;
    if (who === undefined) return;
    const key = request.headers[operatorKeyHeader];
    if (who === 'admin' && key !== undefined) {
      if (operatorKey?.opens(String(key), request.raw.socket) !== true) throw refused('unauthenticated');
      request.caller = operator;
      return;
    }
    if (who !== 'anyone') request.caller = await authenticated(request);
    if (who === 'admin' && !callerOf(request).roles.includes('admin')) throw refused('forbidden');
    // Probes of the process itself are let through, however often they come.
    if (request.url.startsWith('/api/'))
      await limit?.({ userId: request.caller?.userId, address: request.ip, changes: changes(request) });
  });

  async function authenticated(request: FastifyRequest): Promise<User> {
    const token = bearer(request.headers.authorization) ?? cookie(request);
    if (token === undefined) throw refused('unauthenticated');
    const { user } = await tokens.verify(token);
    return user;
  }

  function cookie(request: FastifyRequest): string | undefined {
    if (!origins.cookieCounts(request.headers, isEncrypted(request), changes(request))) return undefined;
    return tokenCookie(request.headers.cookie);
  }
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
