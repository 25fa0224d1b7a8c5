/** REST as a simulated person asks it: the answer as a reply, like one over a socket. */

import { z } from 'zod';
import { causeOf, errorCodes, type WireError, wireError } from '../protocol/errors.ts';

export interface Request {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  token?: string | undefined;
  body?: unknown;
  /** For `Idempotency-Key`: what is sent again under it is done once. */
  key?: string;
}

export type Answer = { ok: true; body: unknown } | { ok: false; error: WireError; reached: boolean };

export interface Rest {
  readonly url: string;
  /** Never rejects: a server that cannot be reached is `unavailable`, and `reached` says which it was. */
  ask(request: Request): Promise<Answer>;
}

/** A server that takes a request and never answers is given up after so long. */
const patienceMs = 20_000;

export function restClient(url: string): Rest {
  return {
    url,
    async ask({ method, path, token, body, key }) {
      try {
        const answer = await fetch(new URL(path, url), {
          method,
          headers: {
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...(key !== undefined && { 'idempotency-key': key }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(patienceMs),
        });
        if (answer.ok) return { ok: true, body: await answer.json() };
        return { ok: false, reached: true, error: refusalOf(answer, await answer.text()) };
      } catch (error) {
        return { ok: false, reached: false, error: wireError('unavailable', causeOf(error)) };
      }
    },
  };
}

const refusal = z.object({ error: z.object({ code: z.enum(errorCodes), message: z.string() }) });

function refusalOf(answer: Response, text: string): WireError {
  const told = refusal.safeParse(parsed(text));
  // A proxy, or no server of ours at all.
  if (!told.success) return wireError('internal', `it answered ${answer.status}`, answer.status >= 500);
  const { code, message } = told.data.error;
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
  return { ...wireError(code, message), ...(seconds >= 0 && { retryAfterMs: seconds * 1_000 }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
