/**
 * From which address someone asks. A proxy in front of the server names whom it asks for in `X-Forwarded-For`; but so can
 * anybody, so the header counts only as far as proxies that were named are on the way.
 */
import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';

/** How many proxies are in front of the server, or which (addresses, ranges, `loopback`, `uniquelocal`, `linklocal`). */
export type TrustedProxies = number | readonly string[];

export interface Addresses {
  /** Whether what that address says of whom it asks for is believed; hop 0 is who is connected to the server itself. */
  trusts(address: string, hop: number): boolean;
  of(request: IncomingMessage): string;
}

/** Throws where an address is none. */
export function addresses(proxies: TrustedProxies = 0): Addresses {
  const trusts =
    typeof proxies === 'number' ? (_: string, hop: number) => hop < proxies : proxyAddr.compile([...proxies]);
  return {
    trusts,
    // Undefined where the connection is gone already.
    of: (request) => proxyAddr(request, trusts) ?? '',
  };
}
