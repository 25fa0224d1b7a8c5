/**
 * From which address someone asks, and on whose account that counts. A proxy in front of the server names whom it asks for in `X-Forwarded-For`; but so can
 * anybody, so the header counts only as far as proxies that were named are on the way.
 */
import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import ipaddr from 'ipaddr.js';

/** How many proxies are in front of the server, or which (addresses, ranges, `loopback`, `uniquelocal`, `linklocal`). */
export type TrustedProxies = number | readonly string[];

export interface Addresses {
  /** Whether what that address says of whom it asks for is believed; hop 0 is who is connected to the server itself. */
  trusts(address: string, hop: number): boolean;
  /** As `plainAddress` writes it. */
  of(request: IncomingMessage): string;
}

/** Throws where an address is none. */
export function addresses(proxies: TrustedProxies = 0): Addresses {
  const named = typeof proxies === 'number' ? undefined : proxyAddr.compile([...proxies]);
  const trusts = (address: string, hop: number) =>
    named === undefined ? hop < Number(proxies) : named(plainAddress(address), hop);
  return {
    trusts,
    // Undefined where the connection is gone already.
    of: (request) => plainAddress(proxyAddr(request, trusts) ?? ''),
  };
}

/** Whether a host's name, or an address of a connection, leads nowhere but to this very machine. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const address = host.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/**
 * One spelling for each address, of those in which proxies write it: `203.0.113.9:5678`, `[2001:DB8::1]:443`, `::ffff:203.0.113.9`,
 * `fe80::1%eth0`, in quotation marks or not. What is no address stays as it is.
 */
function plainAddress(written: string): string {
  const unquoted = written.trim().replace(/^"(.*)"$/, '$1');
  const [, inBrackets, beforePort] = /^\[([^\]]*)\](?::\d*)?$|^([^:]*):\d*$/.exec(unquoted) ?? [];
  const bare = (inBrackets ?? beforePort ?? unquoted).split('%', 1)[0] ?? '';
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : unquoted;
}

/**
 * An IPv4 address counts as itself, also where it is written as an IPv6 one. Any other IPv6 address counts as its /64: that much
 * is handed to one household, which could use another address for every request. What is no address, such as a name that a proxy
 * made up, counts as it stands.
 */
export function countedAs(address: string): string {
  const plain = plainAddress(address);
  if (!ipaddr.IPv6.isValid(plain)) return plain.slice(0, longest);
  const household = ipaddr.IPv6.parse(plain)
    .parts.slice(0, 4)
    .map((group) => group.toString(16));
  return `${household.join(':')}::/64`;
}

/** An IPv6 address in its longest text has 45 characters. */
const longest = 45;
