/** The page's calls to the REST routes. What comes back is taken at the server's word. */
import { basePath } from './base.ts';

export interface Refusal {
  code: string;
  message: string;
  /** With `rate_limited`: milliseconds after which it is worth trying again. */
  retryAfterMs?: number;
}

export type Answer<T> = { ok: true; value: T } | { ok: false; error: Refusal };

export interface User {
  userId: number;
  displayName: string;
}

export interface Workshop {
  id: number;
  title: string;
  status: 'scheduled' | 'lobby' | 'live' | 'ended' | 'cancelled';
  hostId: number;
  scheduledAt: string;
}

export type Step = 'open-lobby' | 'start' | 'end';

export const api = {
  /** Signs in as a guest; the server sets the cookie. */
  guest: (displayName: string) => call<{ user: User }>('POST', '/api/guest', { displayName }),
  workshops: (cursor?: string) =>
    call<{ items: Workshop[]; nextCursor: string | null }>(
      'GET',
      `/api/workshops${cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`}`,
    ),
  workshop: (id: number) => call<Workshop>('GET', `/api/workshops/${id}`),
  /** `key` makes sending the same form twice schedule one workshop. */
  schedule: (workshop: { title: string; scheduledAt: string }, key: string) =>
    call<Workshop>('POST', '/api/workshops', workshop, { 'idempotency-key': key }),
  rsvp: (id: number) => call<unknown>('POST', `/api/workshops/${id}/rsvp`),
  step: (id: number, step: Step) => call<unknown>('POST', `/api/workshops/${id}/${step}`),
};

async function call<T>(
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  try {
    const response = await fetch(basePath + path, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    // Our own server's routes: the shape follows from the route.
    if (response.ok) return { ok: true, value: answer as T };
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const wait = Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {};
    return { ok: false, error: { ...refusalIn(answer), ...wait } };
  } catch {
    return { ok: false, error: { code: 'unavailable', message: 'the server cannot be reached' } };
  }
}

function refusalIn(answer: unknown): Refusal {
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : null;
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return { code: error.code, message: 'message' in error ? String(error.message) : error.code };
  return { code: 'internal', message: 'something went wrong' };
}
