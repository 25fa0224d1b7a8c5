/** Whether a handshake becomes a socket: its protocol, who it is, and whether they connect too often. */
import type { Addresses } from '../../identity/address.ts';
import { type Origins, tokenCookie } from '../../identity/origin.ts';
import type { Identity, Tokens } from '../../identity/token.ts';
import { countedAs } from '../../limits/address.ts';
import type { Accounts, Limits } from '../../limits/limiter.ts';
import type { Kind } from '../../limits/table.ts';
import { CodedError } from '../../protocol/errors.ts';
import { servedProtocols } from '../../protocol/wire.ts';
import { isEncrypted } from './handshake.ts';
import type { WorkshopSocket } from './session.ts';

export interface AdmitParts {
  tokens: Tokens;
  origins: Origins;
  addresses: Addresses;
  limits: Limits;
}

/** Fills the socket's session, or rejects with the code that refuses it. */
export function admitting({ tokens, origins, addresses, limits }: AdmitParts) {
  async function identity({ handshake: { auth, headers }, request }: WorkshopSocket): Promise<Identity> {
    const cookie = origins.cookieCounts(headers, isEncrypted(request), true)
      ? tokenCookie(headers.cookie)
      : undefined;
    const token: unknown = auth.token ?? cookie;
    if (typeof token !== 'string') throw new CodedError('unauthenticated');
    return tokens.verify(token);
  }

  async function take(kind: Kind, accounts: Accounts): Promise<void> {
    const verdict = await limits.take(kind, accounts);
    if (verdict.ok) return;
    throw new CodedError('rate_limited', undefined, { retryAfterMs: verdict.retryAfterMs });
  }

  return async (socket: WorkshopSocket): Promise<void> => {
    const protocol: unknown = socket.handshake.auth.protocol ?? 1;
    if (typeof protocol !== 'number' || !servedProtocols.includes(protocol))
      throw new CodedError('unsupported_protocol');
    const address = countedAs(addresses.of(socket.request));
    const { user, expiresAt } = await identity(socket).catch(async (error: unknown) => {
      // Whatever was wrong, it is counted alike: what is said then tells nothing about the token.
      await take('unauthenticated', { address });
      throw error;
    });
    await take('connect', { user: user.userId, address });
    Object.assign(socket.data, { user, expiresAt, address, rooms: new Set(), moving: new Map() });
    Object.assign(socket.data, { underWay: 0, retiring: false });
  };
}
