/** The pages' calls to the REST routes. What comes back is taken at the server's word. */
import type { ChatMessage } from '../../src/hooks/useWorkshopChat.ts';
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

export interface Session {
  user: (User & { roles: string[] }) | null;
  guests: boolean;
  lively: boolean;
  now: string;
}

export interface Workshop {
  id: number;
  title: string;
  description: string | null;
  visibility: 'public' | 'private';
  status: 'scheduled' | 'lobby' | 'live' | 'ended' | 'cancelled';
  hostId: number;
  capacity: number | null;
  durationMinutes: number | null;
  scheduledAt: string;
  startedAt: string | null;
  endedAt: string | null;
  version: number;
  /** Of one workshop, not in lists. */
  coHostIds?: number[];
}

/** What scheduling takes. */
export interface Plan {
  title: string;
  scheduledAt: string;
  description?: string | null;
  durationMinutes?: number | null;
  capacity?: number | null;
  visibility?: Workshop['visibility'];
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface AttendeeRecord {
  userId: number;
  displayName: string | null;
  avatarUrl: string | null;
  status: 'rsvp' | 'withdrawn' | 'invited' | 'joined' | 'left' | 'removed';
  isHost: boolean;
  isCoHost: boolean;
  handRaisedAt: string | null;
  presentMs: number;
}

/** As the chat hook has it, with the time as JSON has it. */
export type ListedMessage = Omit<ChatMessage, 'createdAt'> & { createdAt: string };

export type Step = 'open-lobby' | 'start' | 'end' | 'cancel';

export const api = {
  session: () => call<Session>('GET', '/api/session'),
  /** Signs in as a guest; the server sets the cookie. */
  guest: (displayName: string) => call<{ user: User }>('POST', '/api/guest', { displayName }),
  workshops: (cursor?: string) => call<Page<Workshop>>('GET', `/api/workshops${query({ cursor })}`),
  workshop: (id: number) => call<Workshop>('GET', `/api/workshops/${id}`),
  /** `key` makes sending the same form twice schedule one workshop. */
  schedule: (plan: Plan, key: string) =>
    call<Workshop>('POST', '/api/workshops', plan, { 'idempotency-key': key }),
  /** Answers with the workshop as it is then. */
  update: (id: number, change: Omit<Partial<Plan>, 'visibility'>) =>
    call<Workshop>('PATCH', `/api/workshops/${id}`, change),
  lively: () => call<{ workshopId: number }>('POST', '/api/lively'),
  rsvp: (id: number) => call<unknown>('POST', `/api/workshops/${id}/rsvp`),
  withdrawRsvp: (id: number) => call<unknown>('DELETE', `/api/workshops/${id}/rsvp`),
  invite: (id: number, userIds: number[]) =>
    call<unknown>('POST', `/api/workshops/${id}/invitations`, { userIds }),
  step: (id: number, step: Step) => call<unknown>('POST', `/api/workshops/${id}/${step}`),
  attendees: (id: number, asked: { cursor?: string | undefined; minVersion?: number } = {}) =>
    call<Page<AttendeeRecord>>('GET', `/api/workshops/${id}/attendees${query({ limit: 500, ...asked })}`),
  chat: (id: number, asked: { cursor?: string | undefined; before?: number; minVersion?: number } = {}) =>
    call<Page<ListedMessage>>('GET', `/api/workshops/${id}/chat${query({ limit: 100, ...asked })}`),
};

function query(fields: Record<string, string | number | undefined>): string {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return given.length === 0 ? '' : `?${given.join('&')}`;
}

export async function call<T>(
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
