/**
 * Connections that stop reading, on a server with nothing else: what they hold, and when they are given up. Each test has a
 * server of its own and mostly waits, beside the others; those that look at the memory of the process come first, alone.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from 'socket.io';
import { describe, expect, it, type TestContext } from 'vitest';
import {
  heldFor,
  type ReaderSettings,
  readerSettings,
  unboundedReaders,
  watchReaders,
} from '../../src/lib/socket/readers.ts';
import type { WorkshopNamespace } from '../../src/lib/socket/socket.ts';
import { dismiss } from '../../src/lib/socket/socket.ts';
import { wireError } from '../../src/protocol/errors.ts';
import { type RawClient, rawClient, received } from '../kit/rawClient.ts';
import { until } from '../kit/until.ts';

interface Nest {
  url: string;
  /** To be closed before the server. */
  closing: (() => unknown)[];
  nsp: WorkshopNamespace;
  given: string[];
  /** Sends every connection a text of its own, so that nothing of it is shared. */
  feed(bytes: number): void;
  held(): number;
}

async function nest(settings: ReaderSettings, { onTestFinished }: TestContext): Promise<Nest> {
  const http = createServer();
  const io = new Server(http, { pingInterval: 60_000 });
  const nsp: WorkshopNamespace = io.of('/workshop');
  const given: string[] = [];
  const readers = watchReaders(nsp, settings, (socket) => {
    given.push(socket.id);
    dismiss(socket, wireError('slow_consumer'));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const closing: Nest['closing'] = [() => io.close(), () => readers.close()];
  onTestFinished(async () => {
    for (const close of closing.reverse()) await close();
  });
  let n = 0;
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    ...{ closing, nsp, given },
    feed(bytes) {
      for (const socket of nsp.sockets.values()) socket.emit('fed', `${n++} ${'x'.repeat(bytes)}`);
    },
    held: () => [...nsp.sockets.values()].reduce((sum, { conn }) => sum + (heldFor(conn)?.bytes ?? 0), 0),
  };
}

async function guests({ url, closing }: Nest, count: number, paused: boolean): Promise<RawClient[]> {
  const made = await Promise.all(Array.from({ length: count }, () => rawClient(url, { keeps: !paused })));
  for (const client of made) {
    closing.push(() => client.close());
    if (paused) client.pause();
  }
  return made;
}

const megabyte = 1_048_576;

/** Feeds until so many megabytes have gone to each connection. */
async function feedAll({ feed, nsp }: Nest, megabytes: number): Promise<void> {
  for (let sent = 0; sent < megabytes * megabyte && nsp.sockets.size > 0; sent += 65_536) {
    feed(65_536);
    await sleep(10);
  }
}

describe('a connection that does not read', () => {
  // Its kernels take some four megabytes before anything waits here.
  it('[M18] is given up, so that memory stays flat however much it would be sent', async (test) => {
    const here = await nest(readerSettings, test);
    const before = process.memoryUsage().rss;
    await guests(here, 10, true);
    const [reader] = await guests(here, 1, false);
    await feedAll({ ...here, nsp: here.nsp }, 16);
    await until(() => here.given.length === 10, { what: 'ten to be given up', timeout: 15_000 });
    expect(here.nsp.sockets.size).toBe(1);
    expect(here.held()).toBeLessThan(2 * megabyte);
    expect(process.memoryUsage().rss - before).toBeLessThan(160 * megabyte);
    const fed = received(reader as RawClient, 'fed').length;
    expect(fed).toBeGreaterThan(100);
    expect(received(reader as RawClient, 'workshop:error')).toEqual([]);
  }, 40_000);

  it('[M18] holds ever more where nobody watches it', async (test) => {
    const here = await nest(unboundedReaders, test);
    await guests(here, 10, true);
    await feedAll(here, 16);
    expect(here.held()).toBeGreaterThan(10 * 8 * megabyte);
    expect(here.given).toEqual([]);
  }, 40_000);

  it.concurrent('[M18] is given up too where little waits for it for too long', async (test) => {
    const here = await nest({ ...readerSettings, maxBytes: 64 * megabyte, stalledMs: 1_500 }, test);
    await guests(here, 1, true);
    while (here.held() === 0) {
      here.feed(65_536);
      await sleep(1);
    }
    await until(() => here.given.length === 1, { what: 'it to be given up' });
  }, 20_000);

  it.concurrent('[M18] is cut off for good where it does not even read that it is closed', async (test) => {
    const here = await nest(readerSettings, test);
    const connections = () => here.nsp.server.engine.clientsCount;
    await guests(here, 3, true);
    await feedAll(here, 16);
    await until(() => here.given.length === 3, { what: 'them to be given up', timeout: 15_000 });
    await until(() => connections() === 0, { what: 'their connections to be gone', timeout: 6_000 });
  }, 40_000);

  it.concurrent('[M18] hears why, where it reads on in time', async (test) => {
    const here = await nest(readerSettings, test);
    const [client] = (await guests(here, 1, false)) as [RawClient];
    client.pause();
    await feedAll(here, 16);
    await until(() => here.given.length === 1, { what: 'it to be given up', timeout: 15_000 });
    client.resume();
    await until(() => client.isClosed(), { what: 'the end' });
    expect(received(client, 'workshop:error')).toMatchObject([{ code: 'slow_consumer', retryable: true }]);
  }, 40_000);
});

describe.concurrent('a connection that is merely slow', () => {
  it('[M19] stays, with more than the limit waiting for it, as long as it reads on', async (test) => {
    const here = await nest({ ...readerSettings, stalledMs: 2_500 }, test);
    const [client] = (await guests(here, 1, true)) as [RawClient];
    // At once, as what a resume missed: twice what kernel and limit take.
    for (let n = 0; n < 200; n++) here.feed(65_536);
    await until(() => here.held() > 2 * megabyte, { what: 'more than the limit to wait' });
    const slowly = async () => {
      for (let n = 0; n < 40 && here.held() > 0; n++) {
        client.resume();
        await sleep(2);
        client.pause();
        await sleep(400);
      }
      client.resume();
    };
    await slowly();
    await until(() => here.held() === 0, { what: 'everything to be read' });
    expect(here.given).toEqual([]);
    expect(client.isClosed()).toBe(false);
  }, 30_000);

  it('[M19] stays after a pause of seconds', async (test) => {
    const here = await nest(readerSettings, test);
    const [client] = (await guests(here, 1, false)) as [RawClient];
    client.pause();
    for (let n = 0; n < 3; n++) {
      here.feed(100_000);
      await sleep(700);
    }
    client.resume();
    await until(() => received(client, 'fed').length === 3, { what: 'everything' });
    expect(here.given).toEqual([]);
  });
});

describe.concurrent('a client that polls', () => {
  /** One that has asked for the namespace, and takes what comes with each `poll`. */
  async function polling(url: string) {
    const open = await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
    const { sid } = JSON.parse(open.slice(1));
    const address = `${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const poll = async () => (await fetch(address)).text();
    await fetch(address, { method: 'POST', body: '40/workshop,' });
    expect(await poll()).toContain('40/workshop');
    return { poll };
  }

  it('[M18] is given up when it polls no more', async (test) => {
    const here = await nest({ ...readerSettings, stalledMs: 1_000 }, test);
    await polling(here.url);
    here.feed(10);
    await until(() => here.given.length === 1, { what: 'it to be given up' });
    await until(() => here.nsp.server.engine.clientsCount === 0, { what: 'it to be gone', timeout: 6_000 });
  });

  it('[M18] is given up sooner when much waits for it', async (test) => {
    const here = await nest(readerSettings, test);
    await polling(here.url);
    for (let n = 0; n < 40; n++) here.feed(65_536);
    await until(() => here.given.length === 1, { what: 'it to be given up', timeout: 6_000 });
  });

  it('[M19] stays as long as it polls', async (test) => {
    const here = await nest({ ...readerSettings, stalledMs: 1_000 }, test);
    const { poll } = await polling(here.url);
    for (let n = 0; n < 5; n++) {
      here.feed(10);
      await sleep(500);
      expect(await poll()).toContain('fed');
    }
    expect(here.given).toEqual([]);
  });
});
