/**
 * Where a request comes from. A cookie travels with whatever page sends the request, so it counts only from an origin that
 * is ours or was named; a token that the program itself puts into a header counts from everywhere.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { parseCookie } from 'cookie';

export interface OriginSettings {
  /** Exact origins, `https://app.example.org`. */
  allowed: readonly string[];
  /** Where browsers find the server, where its origin is not the one that the request names. */
  publicUrl?: string | undefined;
}

export interface Origins {
  /** No origin, our own, or an allowed one. */
  isAllowed(headers: IncomingHttpHeaders, encrypted: boolean): boolean;
  /** Whether a cookie on this request says who calls; `changes` for sockets and for requests that change something. */
  cookieCounts(headers: IncomingHttpHeaders, encrypted: boolean, changes: boolean): boolean;
}

export function origins({ allowed, publicUrl }: OriginSettings): Origins {
  const named = new Set(allowed);
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
  const isKnown = (origin: string, headers: IncomingHttpHeaders, encrypted: boolean) =>
    named.has(origin) || origin === (own ?? received(headers, encrypted));
  return {
    isAllowed(headers, encrypted) {
      const { origin } = headers;
      return origin === undefined || isKnown(origin, headers, encrypted);
    },
    cookieCounts(headers, encrypted, changes) {
      const { origin } = headers;
      if (origin !== undefined) return isKnown(origin, headers, encrypted);
      const site = headers['sec-fetch-site'];
      if (site !== undefined) return site === 'same-origin' || (site === 'none' && !changes);
      return !changes;
    },
  };
}

function received(headers: IncomingHttpHeaders, encrypted: boolean): string {
  return `${encrypted ? 'https' : 'http'}://${headers.host ?? ''}`;
}

export const cookieName = 'workshop_token';

/** Cookies of our name in one request that are looked at: another path's or an older domain's may come before the good one. */
const mostCookies = 4;

/** The values of our cookie in a `Cookie` header, without the quotes that RFC 6265 allows around them. */
export function tokenCookies(header = ''): string[] {
  // The parser takes the first of each name: it is asked for one at a time.
  const values = header.split(';').flatMap((part) => parseCookie(part)[cookieName] || []);
  return values.map((value) => value.replace(/^"(.*)"$/, '$1')).slice(0, mostCookies);
}
