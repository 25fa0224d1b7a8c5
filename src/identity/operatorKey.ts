/**
 * The key with which the command line speaks to the running server of the same data folder. It is worth an admin's sign-in,
 * for the operators' routes alone and from this machine alone: who may read the folder may do anything with it anyway.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback } from './address.ts';

export const operatorKeyHeader = 'x-operator-key';

/** Both ends of the connection on which a request came; not what a proxy says of it. */
export interface Ends {
  remoteAddress?: string | undefined;
  localAddress?: string | undefined;
}

export interface OperatorKey {
  /** Takes as long for a key that is nearly right as for one that is all wrong. */
  opens(given: string, ends: Ends): boolean;
}

export function operatorKey(key: string): OperatorKey {
  const expected = digest(key);
  return { opens: (given, ends) => isFromHere(ends) && timingSafeEqual(digest(given), expected) };
}

/** Loopback, or an address of this very machine as its own server is bound to. */
function isFromHere({ remoteAddress, localAddress }: Ends): boolean {
  return remoteAddress !== undefined && (isLoopback(remoteAddress) || remoteAddress === localAddress);
}

/** Of one length whatever was given, as the comparison wants it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
