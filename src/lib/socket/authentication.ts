/** A socket lives as long as its token: it is warned a minute before, disconnected at the end, and lives on with another one. */
import { z } from 'zod';
import type { Callers } from '../../identity/callers.ts';
import { wireError } from '../../protocol/errors.ts';
import { parse } from '../../protocol/parse.ts';
import { wireName } from '../../protocol/wire.ts';
import { credentialsOf } from './handshake.ts';
import { type Answer, failure, type WorkshopSocket } from './socket.ts';

export interface Expiry {
  /** The session has a new `expiresAt`. */
  renew(): void;
  /** The end has come, also where a busy loop has not yet got to disconnecting. */
  isOver(): boolean;
  close(): void;
}

const warningMs = 60_000;
/** setTimeout counts in 32 bits; a longer wait is cut into pieces. */
const longestTimeout = 2 ** 31 - 1;
/** A token accepted within the clock tolerance after its end. */
const pastGraceMs = 5_000;

export function watchExpiry(socket: WorkshopSocket): Expiry {
  let timer: NodeJS.Timeout | undefined;
  let warned = false;
  let closed = false;
  let end = Number.POSITIVE_INFINITY;

  function at(time: number, then: () => void): void {
    const left = time - Date.now();
    timer = setTimeout(
      () => (left > longestTimeout ? at(time, then) : then()),
      Math.min(Math.max(left, 0), longestTimeout),
    );
  }

  function watch(): void {
    const { expiresAt } = socket.data;
    end = expiresAt > Date.now() ? expiresAt : Date.now() + pastGraceMs;
    if (!warned && end - warningMs > Date.now()) {
      at(end - warningMs, () => {
        warn();
        watch();
      });
      return;
    }
    if (!warned) warn();
    at(end, () => {
      socket.emit(wireName('error'), wireError('token_expired'));
      socket.disconnect(!socket.data.shares);
    });
  }

  function warn(): void {
    warned = true;
    socket.emit(wireName('token-expiring'), { at: new Date(socket.data.expiresAt).toISOString() });
  }

  watch();
  return {
    renew() {
      clearTimeout(timer);
      warned = false;
      // The token was being checked when the socket went.
      if (!closed) watch();
    },
    isOver: () => Date.now() >= end,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** What `workshop:authenticate` does: the same user's newer token. Rejects with the code that refuses it. */
export async function authenticate(
  { socket, callers, expiry }: { socket: WorkshopSocket; callers: Callers; expiry: Expiry },
  raw: unknown,
): Promise<Answer> {
  const parsed = parse(z.object({ token: z.string() }), raw);
  if (!parsed.ok) return failure('invalid_payload', parsed.detail);
  const { user, expiresAt } = await callers.identify({
    ...credentialsOf(socket),
    auth: { ...socket.handshake.auth, token: parsed.value.token },
  });
  if (user.userId !== socket.data.user.userId) return failure('forbidden');
  Object.assign(socket.data, { user, expiresAt });
  expiry.renew();
  return { ok: true, expiresAt: isoOf(expiresAt) };
}

/** null where it does not end. */
function isoOf(time: number): string | null {
  return Number.isFinite(time) ? new Date(time).toISOString() : null;
}
