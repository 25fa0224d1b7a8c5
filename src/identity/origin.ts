/**
 * Where a request comes from. A cookie travels with whatever page sends the request, so it counts only from an origin that
 * is ours or was named; a token that the program itself puts into a header counts from everywhere.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface OriginSettings {
  /** Exact origins, `https://app.example.org`. */
  allowed: readonly string[];
  /** The server's own, where it is not the one that the request names. */
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
  const isKnown = (origin: string, headers: IncomingHttpHeaders, encrypted: boolean) =>
    named.has(origin) || origin === (publicUrl ?? received(headers, encrypted));
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

/** The value of our cookie in a `Cookie` header (RFC 6265, 4.2). */
export function tokenCookie(header: string | undefined): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const [name, value] = part.trim().split('=', 2);
    if (name === cookieName && value) return value;
  }
  return undefined;
}
