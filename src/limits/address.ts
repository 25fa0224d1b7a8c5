/** The account of an address. */
import { isIPv4, isIPv6 } from 'node:net';

/**
 * An IPv4 address counts as itself, an IPv6 address as its /64: that much is handed to one household, which could use another
 * address for every request. What is no address, such as a name that a proxy made up, counts as it stands.
 */
export function countedAs(address: string): string {
  const bare = address.split('%', 1)[0] ?? '';
  if (!isIPv6(bare)) return bare.slice(0, longest);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  return `${groups(bare).slice(0, 4).join(':')}::/64`;
}

/** An IPv6 address in its longest text has 45 characters. */
const longest = 45;

/** The eight groups of an IPv6 address, in the shortest form of each. */
function groups(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const ahead = groupsOf(head);
  const behind = tail === undefined ? [] : groupsOf(tail);
  const missing = tail === undefined ? 0 : 8 - ahead.length - behind.length;
  return [...ahead, ...new Array<string>(missing).fill('0'), ...behind];
}

function groupsOf(part: string): string[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    // The last 32 bits may be written as an IPv4 address.
    if (!group.includes('.')) return [Number.parseInt(group, 16).toString(16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
  });
}
