/** Who calls, on sockets and by REST alike: by our own tokens, or as the application says into which this is built. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { User } from '../domain/define.ts';
import { displayName, httpsUrl, positiveId } from '../domain/text.ts';
import { CodedError } from '../protocol/errors.ts';
import { type Origins, tokenCookies } from './origin.ts';
import { firstValid, type Identity, type Tokens } from './token.ts';

/** What may say who calls. */
export interface Credentials {
  headers: IncomingHttpHeaders;
  /** The handshake's `auth` of a socket; by REST `{ token }` where `Authorization` has a bearer's. */
  auth: Record<string, unknown>;
  encrypted: boolean;
  /** A socket, or a request that changes something. */
  changes: boolean;
}

export interface Callers {
  /** Rejects with the code that refuses, `unauthenticated` above all. */
  identify(credentials: Credentials): Promise<Identity>;
}

export function callersByToken(tokens: Tokens, origins: Origins): Callers {
  return {
    async identify({ headers, auth: { token }, encrypted, changes }) {
      if (typeof token === 'string') return tokens.verify(token);
      const counts = token == null && origins.cookieCounts(headers, encrypted, changes);
      return firstValid(tokens, counts ? tokenCookies(headers.cookie) : []);
    },
  };
}

/** Someone whom the application has signed in. */
export interface SignedIn {
  /** 1 to 2^53 − 1. */
  userId: number;
  /** 1 to 80 characters. */
  displayName: string;
  /** An https URL. */
  avatarUrl?: string | null | undefined;
  /** `analyst` and `admin` mean something here. */
  roles?: readonly string[] | undefined;
  /** When a socket is to sign in again; never if left out. */
  expiresAt?: Date | undefined;
}

/** The application's own sign-in; null for who is not signed in. */
export type Authenticate = (request: {
  headers: IncomingHttpHeaders;
  auth: Record<string, unknown>;
}) => SignedIn | null | Promise<SignedIn | null>;

const signedIn = z.object({
  userId: positiveId,
  displayName,
  avatarUrl: httpsUrl.nullish(),
  roles: z.array(z.string()).readonly().nullish(),
  expiresAt: z.date().nullish(),
});

export interface ApplicationCallers {
  authenticate: Authenticate;
  origins: Origins;
  /** It threw, or named nobody who can be: the caller is told `internal` and nothing more. */
  failed(error: unknown): void;
}

/**
 * What `authenticate` says. A cookie that a page of another site sent along is not shown to it: the application would take that
 * page's wish for the user's own.
 */
export function callersOfApplication({ authenticate, origins, failed }: ApplicationCallers): Callers {
  return {
    async identify({ headers, auth, encrypted }) {
      const { cookie, ...others } = headers;
      const shown = origins.isAllowed(headers, encrypted) && !isFromElsewhere(headers) ? headers : others;
      try {
        const found = await authenticate({ headers: shown, auth });
        if (found === null || found === undefined) throw new CodedError('unauthenticated');
        return identityOf(found);
      } catch (error) {
        if (error instanceof CodedError) throw error;
        failed(error);
        throw new CodedError('internal', undefined, { cause: error });
      }
    },
  };
}

/** A browser says so where it sends no origin. */
function isFromElsewhere({ origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  return origin === undefined && (site === 'cross-site' || site === 'same-site');
}

function identityOf(found: SignedIn): Identity {
  const parsed = signedIn.safeParse(found);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TypeError(
      `authenticate answered with ${issue?.path.join('.') || 'something'}: ${issue?.message}`,
    );
  }
  return {
    user: userOf(parsed.data),
    expiresAt: parsed.data.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
  };
}

/** As the domain has them; roles that mean nothing here are left out. */
export function userOf({ userId, displayName, avatarUrl, roles }: z.output<typeof signedIn>): User {
  return {
    ...{ kind: 'user', userId, displayName, avatarUrl: avatarUrl ?? null },
    roles: (roles ?? []).filter((role) => role === 'analyst' || role === 'admin'),
  };
}

/** For who names a user in code. */
export const signedInUser = signedIn.omit({ expiresAt: true }).transform(userOf);
