/** A Postgres, or several of which one takes writes, and what connections to it have found out about it for each other. */
import { parseAddress, type ServerAddress } from './address.ts';

export interface Server {
  readonly address: ServerAddress;
  /** Somebody is in between who gives each transaction another connection. */
  isPooled: boolean;
  /** Grows when a connection was refused a write: those made before lead to a server that others have succeeded. */
  generation: number;
  /** A standby does not do. */
  readonly mustWrite: boolean;
}

export function serverAt(url: string, mustWrite = true): Server {
  const address = parseAddress(url);
  return { address, isPooled: address.isPooled, generation: 0, mustWrite };
}
