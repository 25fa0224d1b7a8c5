/**
 * Where a webhook may lead. Whoever names an address has the server ask it, from inside of its network: unless that is allowed, nothing
 * but public addresses are asked, and what a name leads to is looked at when it is connected to, not before.
 */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

const longest = 2_048;

/** Why this is no address for a webhook; undefined where it is one. */
export function complaintOf(text: string, allowPrivate: boolean): string | undefined {
  if (text.length > longest || !URL.canParse(text))
    return 'must be an address such as https://example.org/hooks';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') return 'must not hold a password';
  if (allowPrivate) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost') || (ipaddr.isValid(host) && !isPublic(host)))
    return 'leads to a private address: set WEBHOOK_ALLOW_PRIVATE=true to allow that';
  return undefined;
}

/** Of the whole internet: neither private, local, shared, translated nor multicast. */
export function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

/** A name led to addresses that are not asked. */
export class PrivateAddress extends Error {
  override name = 'PrivateAddress';
}

/** For connections: resolves a name to its public addresses, and fails where it has none. */
export const publicLookup: LookupFunction = (host, options, found) => {
  lookup(host, { ...(options as LookupOptions), all: true }, (error, all) => {
    if (error !== null) return found(error, []);
    const addresses = (all as LookupAddress[]).filter(({ address }) => isPublic(address));
    const [first] = addresses;
    if (first === undefined)
      return found(new PrivateAddress(`${host} leads to a private address: see WEBHOOK_ALLOW_PRIVATE`), []);
    if (options.all) found(null, addresses);
    else found(null, first.address, first.family);
  });
};
