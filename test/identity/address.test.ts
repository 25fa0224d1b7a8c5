/** On whose account an address counts, and which address it is. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { addresses, countedAs } from '../../src/identity/address.ts';

const request = (remoteAddress: string, forwarded?: string) =>
  // What is read of a request, and no more.
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

describe('an account', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
    ['192.0.2.7:5678', '192.0.2.7'],
    [' 192.0.2.7:0 ', '192.0.2.7'],
    ['[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'],
    ['[2001:DB8:1:2:0::9]', '2001:db8:1:2::/64'],
    ['"[2001:db8:1:2::9]:443"', '2001:db8:1:2::/64'],
    ['[::ffff:192.0.2.7]:80', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['[fe80::1%eth0]:80', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
    ['unknown:80', 'unknown:80'],
    ['_hidden', '_hidden'],
    ['x'.repeat(500), 'x'.repeat(45)],
    ['', ''],
  ])('[M7] of %s is %s', (address, account) => {
    expect(countedAs(address)).toBe(account);
  });

  it('[M7] is one for all addresses of a household, and another for the next', () => {
    expect(countedAs('2001:db8:1:2::1')).toBe(countedAs('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    expect(countedAs('2001:db8:1:2::1')).not.toBe(countedAs('2001:db8:1:3::1'));
  });
});

describe('the address of a request', () => {
  it('[M8] is that of the connection, whatever it claims, unless proxies are trusted', () => {
    expect(addresses().of(request('192.0.2.1', '203.0.113.9'))).toBe('192.0.2.1');
    expect(addresses(0).of(request('192.0.2.1', '203.0.113.9'))).toBe('192.0.2.1');
  });

  it('[M8] is what the last of so many proxies saw', () => {
    const one = addresses(1);
    expect(one.of(request('192.0.2.1', 'spoofed, 203.0.113.9'))).toBe('203.0.113.9');
    expect(one.of(request('192.0.2.1'))).toBe('192.0.2.1');
    expect(addresses(2).of(request('192.0.2.1', 'spoofed, 203.0.113.9, 10.0.0.2'))).toBe('203.0.113.9');
  });

  it.each([
    '203.0.113.9:5678',
    '203.0.113.9:1',
    '[::ffff:203.0.113.9]:443',
    '::FFFF:203.0.113.9',
    '::ffff:cb00:7109',
    '"203.0.113.9:80"',
  ])('[M8] is one address, also where a proxy writes %s', (written) => {
    expect(addresses(1).of(request('192.0.2.1', `spoofed, ${written}`))).toBe('203.0.113.9');
    const named = addresses(['10.0.0.0/8']);
    expect(named.of(request('::ffff:10.1.2.3', `spoofed, ${written}, 10.0.0.2:4711`))).toBe('203.0.113.9');
  });

  it('[M8] is the first that is no named proxy', () => {
    const named = addresses(['10.0.0.0/8', 'loopback']);
    expect(named.of(request('10.1.2.3', 'spoofed, 203.0.113.9, 127.0.0.1'))).toBe('203.0.113.9');
    expect(named.of(request('192.0.2.1', '203.0.113.9'))).toBe('192.0.2.1');
  });
});

describe('TRUST_PROXY', () => {
  const read = (TRUST_PROXY: string) => readConfig({ TRUST_PROXY }).TRUST_PROXY;

  it('is a number of proxies, or addresses and ranges', () => {
    expect(read('')).toBeUndefined();
    expect(read('2')).toBe(2);
    expect(read('10.0.0.0/8, ::1')).toEqual(['10.0.0.0/8', '::1']);
    expect(read('uniquelocal')).toEqual(['uniquelocal']);
  });

  it.each(['true', '-1', '1.5', '10.0.0.0/40', '10.0.0.300', '*', '1,2x'])('is not %s', (value) => {
    expect(() => read(value)).toThrow(/^TRUST_PROXY: must be a number of proxies/);
  });
});
