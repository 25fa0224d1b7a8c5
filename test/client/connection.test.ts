/** Staying connected: after an expired sign-in, with another token, and not at all where nobody knows who calls. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { backoff } from '../../src/client/reply.ts';
import { type Connection, followerOf, workshopConnection } from '../../src/client/workshopClient.ts';
import { wireError } from '../../src/protocol/errors.ts';
import { until } from '../kit/until.ts';
import { type RoomServer, roomServer } from './roomServer.ts';

let server: RoomServer;
let connection: Connection;

beforeEach(async () => {
  server = await roomServer();
  server.schedule(1);
});

afterEach(async () => {
  await connection.close();
  await server.close();
});

function connect(token: string): Connection {
  connection = workshopConnection({ url: server.url, token });
  connection.open();
  return connection;
}

const isConnected = () => connection.snapshot().connected;

it('stops where the server does not know who calls, until it is told to try again', async () => {
  connect('nobody');
  await until(() => connection.snapshot().error, { what: 'the refusal' });
  expect(connection.snapshot()).toMatchObject({ connected: false, error: { code: 'unauthenticated' } });
  // Longer than the first delay would be.
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(server.handshakes).toHaveLength(1);
  connection.authenticate('user-2');
  await until(isConnected, { what: 'the connection' });
  expect(connection.snapshot().error).toBeNull();
});

it('comes back by itself after the server ended it because the sign-in expired', async () => {
  connect('user-2');
  const follower = followerOf(connection.socket, 1);
  await follower.join();
  await until(() => follower.snapshot().view, { what: 'the state' });
  server.expire(2);
  await until(() => connection.snapshot().error?.code === 'token_expired', { what: 'the expiry' });
  await until(isConnected, { what: 'the connection' });
  await until(() => follower.snapshot().phase === 'inside', { what: 'being in the room again' });
  expect(server.count('join')).toBe(2);
  expect(connection.snapshot().error).toBeNull();
});

it('[H9] comes back by itself after it was closed for reading too slowly, and resumes where it was', async () => {
  const workshop = server.schedule(1);
  connect('user-2');
  const follower = followerOf(connection.socket, 1);
  await follower.join();
  const { version } = await until(() => follower.snapshot().view, { what: 'the state' });
  server.expire(2, wireError('slow_consumer'));
  await until(() => connection.snapshot().error?.code === 'slow_consumer', { what: 'the reason' });
  server.act(workshop, 1, 'promote-cohost', { targetUserId: 3 });
  await until(() => follower.snapshot().phase === 'inside' && isConnected(), { what: 'being back' });
  await until(() => follower.snapshot().view?.coHostIds.includes(3), { what: 'what was missed' });
  expect(server.received.filter(({ name }) => name === 'join').at(-1)?.payload.after?.version).toBe(version);
  expect(connection.snapshot().error).toBeNull();
});

it('[H9] comes back when it is told to after it was disconnected for sending too fast', async () => {
  connect('user-2');
  await until(isConnected, { what: 'the connection' });
  const ended = performance.now();
  server.expire(2, { ...wireError('rate_limited'), retryAfterMs: 1_500 });
  await until(() => connection.snapshot().error?.code === 'rate_limited', { what: 'the reason' });
  await until(() => !isConnected(), { what: 'the end' });
  await until(isConnected, { what: 'the connection' });
  expect(performance.now() - ended).toBeGreaterThanOrEqual(1_500);
});

it('uses another token of the same user without reconnecting', async () => {
  connect('user-2');
  await until(isConnected, { what: 'the connection' });
  server.mishap('authenticate');
  connection.authenticate('user-02');
  await until(() => server.count('authenticate') === 1, { what: 'the token' });
  server.cut(2);
  await until(() => server.handshakes.length === 2, { what: 'the reconnect' });
  expect(server.handshakes[1]?.userId).toBe(2);
});

it('connects anew for another user', async () => {
  connect('user-2');
  await until(isConnected, { what: 'the connection' });
  connection.authenticate('user-3');
  await until(() => server.sockets(3).length === 1, { what: 'the other user' });
  await until(() => server.sockets(2).length === 0, { what: 'the first user to be gone' });
});

it('never reaches the server if it is closed in the turn in which it was opened', async () => {
  connect('user-2');
  await connection.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(server.upgrades()).toBe(0);
});

it('leaves its rooms before it disconnects', async () => {
  connect('user-2');
  await followerOf(connection.socket, 1).join();
  await connection.close();
  expect(server.received.at(-1)).toMatchObject({ name: 'leave', payload: { workshopId: 1 } });
  await until(() => server.sockets(2).length === 0, { what: 'the socket to be gone' });
});

it('tries at once when asked to, instead of when the next try is due', async () => {
  const { port } = server;
  connect('user-2');
  await until(isConnected, { what: 'the connection' });
  await server.close();
  await until(() => connection.snapshot().error, { what: 'a try that failed', timeout: 8_000 });
  server = await roomServer({ port });
  connection.retryNow();
  await until(isConnected, { what: 'the connection', timeout: 400 });
});

it('waits longer with every try, up to a limit, and never twice for the same time', () => {
  for (let attempt = 0; attempt < 40; attempt++) {
    const full = Math.min(10_000, 500 * 2 ** attempt);
    const waits = Array.from({ length: 50 }, () => backoff(attempt));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(full / 2);
    expect(Math.max(...waits)).toBeLessThanOrEqual(full);
    expect(new Set(waits).size).toBeGreaterThan(40);
  }
});
