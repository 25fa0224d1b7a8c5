/** The history routes as a replay asks them: with the cookie or a token, and with the errors of the wire. */
import { type ErrorCode, errorCodes, type WireError, wireError } from '../../protocol/errors.ts';

export interface RestOptions {
  /** Where the server is, with its path if it has one: `https://example.org/rooms`; the page's own origin if left out. */
  url?: string | undefined;
  /** Sent as `Authorization: Bearer`. Without it the cookie says who calls. */
  token?: string | undefined;
}

/** Answered with an error, or not at all. */
export class NotAnswered extends Error {
  override name = 'NotAnswered';
  readonly refusal: WireError;
  constructor(refusal: WireError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Asks for what is under a path such as `/api/workshops/7/state`. Rejects with `NotAnswered`, or with the signal's reason. */
export type Ask = (path: string, signal: AbortSignal) => Promise<unknown>;

export function restAsk({ url = '', token }: RestOptions): Ask {
  const base = url.replace(/\/+$/, '');
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return async (path, signal) => {
    const answer = await fetch(base + path, { headers, credentials: 'include', signal }).catch(() => {
      signal.throwIfAborted();
      throw new NotAnswered(wireError('unavailable'));
    });
    const body: unknown = await answer.json().catch(() => null);
    signal.throwIfAborted();
    if (answer.ok && body !== null) return body;
    throw new NotAnswered(refusalIn(body, answer));
  };
}

function refusalIn(body: unknown, { headers, status }: Response): WireError {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const wait = Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {};
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  // Something between here and the server answered for it.
  if (typeof error !== 'object' || error === null || !('code' in error))
    return { ...wireError(status >= 500 ? 'unavailable' : 'internal'), ...wait };
  const code = errorCodes.find((known) => known === error.code) ?? ('internal' satisfies ErrorCode);
  const message = 'message' in error ? String(error.message) : undefined;
  return { ...wireError(code, message), ...wait };
}
