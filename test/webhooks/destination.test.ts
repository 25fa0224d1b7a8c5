/** Where webhooks may lead, and where they may not. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complaintOf, isPublic, publicLookup } from '../../src/webhooks/destination.ts';
import { webhookSender } from '../../src/webhooks/send.ts';

describe('an address', () => {
  it.each([
    ...['127.0.0.1', '127.8.9.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...[
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      '198.18.0.1',
      '::1',
      '::',
      'fe80::1',
      'fc00::1',
      'fd12::1',
    ],
    ...[
      'ff02::1',
      '::ffff:10.0.0.1',
      '::ffff:127.0.0.1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
      '2001:0:1::',
      '2001:db8::1',
    ],
  ])('[K10] %s is none of the whole internet', (address) => {
    expect(isPublic(address)).toBe(false);
    const host = address.includes(':') ? `[${address}]` : address;
    expect(complaintOf(`https://${host}/hooks`, false)).toMatch(/leads to a private address/);
    expect(complaintOf(`https://${host}/hooks`, true)).toBeUndefined();
  });

  it.each(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'])('[K10] %s is one', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it.each([
    'http://localhost/',
    'https://a.localhost:8443/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://127.1/',
  ])('[K10] %s is this machine, however it is written', (url) =>
    expect(complaintOf(url, false)).toMatch(/leads to a private address/),
  );
});

describe('a connection', () => {
  const server = createServer((_, response) => response.end());
  let asked = 0;
  server.on('request', () => asked++);
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('[K10] is not made where a name leads to a private address', async () => {
    const { port } = server.address() as AddressInfo;
    // A name that the system resolves to this machine, and that does not look so.
    const { hostname } = await import('node:os');
    const found = await new Promise<Error | null>((resolve) =>
      publicLookup('localhost', { all: true }, (error) => resolve(error)),
    );
    expect(found?.message).toMatch(/localhost leads to a private address/);
    const sender = webhookSender(false);
    const delivery = { url: `http://${hostname()}:${port}/`, headers: {}, body: '{}' };
    const outcome = await sender.send(delivery);
    sender.close();
    expect(outcome.ok).toBe(false);
    expect(asked).toBe(0);
  });
});
