/** Clients do not come back all at once: after a node died, when it sends them away, and when it asks them to wait. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { afterHint } from '../../src/client/reply.ts';
import { type Connection, followerOf, workshopConnection } from '../../src/client/workshopClient.ts';
import { until } from '../kit/until.ts';
import { type RoomServer, roomServer } from './roomServer.ts';

const count = 100;
let server: RoomServer;
let connections: Connection[];

/** When the timer was due that is running now: on a machine that is busy it may run much later, and many of them at once. */
let due: number | undefined;
const { setTimeout: realSetTimeout } = globalThis;

function setDueTimeout(work: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) {
  const dueAt = performance.now() + ms;
  const run = () => {
    due = dueAt;
    work(...given);
    due = undefined;
  };
  return realSetTimeout(run, ms);
}

beforeEach(async () => {
  // Socket.IO's clients keep the one that they find when they are made.
  globalThis.setTimeout = Object.assign(setDueTimeout, realSetTimeout) as typeof setTimeout;
  server = await roomServer();
  server.schedule(1);
  connections = Array.from({ length: count }, (_, n) =>
    workshopConnection({ url: server.url, token: `user-${n + 1}` }),
  );
  for (const connection of connections) connection.open();
  await until(() => server.handshakes.length === count, { what: 'everyone to connect', timeout: 15_000 });
  await until(() => connections.every((each) => each.snapshot().connected), { what: 'everyone to know' });
});
afterEach(async () => {
  globalThis.setTimeout = realSetTimeout;
  await Promise.all(connections.map((connection) => connection.close()));
  await server.close();
});

/** When each of the connections was due to try next, or to move, in milliseconds from now on. */
function nextTries(by: 'trying again' | 'moving'): Promise<number[]> {
  const began = performance.now();
  return Promise.all(
    connections.map(
      ({ socket }) =>
        new Promise<number>((resolve, reject) => {
          const isDue = () =>
            due === undefined ? reject(new Error('it came by no timer')) : resolve(due - began);
          if (by === 'moving') socket.once('disconnect', isDue);
          else socket.io.once('reconnect_attempt', isDue);
        }),
    ),
  );
}

/** How many of them fall into the fullest stretch of that length. */
function crowd(moments: readonly number[], ms: number): number {
  return Math.max(...moments.map((at) => moments.filter((other) => other >= at && other < at + ms).length));
}

describe('a hundred clients', () => {
  it('[Q3] whose node died try again at moments spread over 2 s, from the first try on', async () => {
    const tries = nextTries('trying again');
    await server.close();
    const moments = await tries;
    expect(Math.max(...moments)).toBeLessThan(4_000);
    expect(Math.max(...moments) - Math.min(...moments)).toBeGreaterThan(1_200);
    expect(crowd(moments, 200)).toBeLessThan(count / 3);
  });

  it('[Q4] that are told that their node ends move once, at moments spread over the time it gives, and lose no command', async () => {
    const follower = followerOf((connections[1] as Connection).socket, 1);
    expect(await follower.join()).toMatchObject({ ok: true });
    await until(() => follower.snapshot().view, { what: 'the state' });
    const tries = nextTries('moving');
    server.drain(3_000);
    server.mishap('chat', 'no-answer');
    const said = follower.send('chat', { message: 'on my way' });
    const moments = await tries;
    expect(Math.max(...moments)).toBeLessThan(4_000);
    expect(Math.max(...moments) - Math.min(...moments)).toBeGreaterThan(1_800);
    expect(crowd(moments, 300)).toBeLessThan(count / 3);
    expect(await said).toMatchObject({ ok: true });
    await until(() => server.handshakes.length === 2 * count, { what: 'everyone to be back' });
    await until(() => connections.every((each) => each.snapshot().connected), { what: 'everyone to know' });
    expect(follower.snapshot()).toMatchObject({ phase: 'inside', error: null });
    expect(follower.snapshot().view?.chat.map(({ message }) => message)).toEqual(['on my way']);
  });

  it('wait for as long as the server says, and not all for the same time', () => {
    const waits = Array.from({ length: count }, () => afterHint(2_000));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(2_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_000);
    expect(crowd(waits, 100)).toBeLessThan(count / 3);
  });
});
