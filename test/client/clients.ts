/** Clients of a `roomServer` for tests: each test has a server of its own, and what it opened is closed after it. */
import { afterEach, beforeEach } from 'vitest';
import {
  type Connection,
  type Follower,
  followerOf,
  type RoomView,
  workshopConnection,
} from '../../src/client/workshopClient.ts';
import { until } from '../kit/until.ts';
import { type RoomServer, type RoomServerOptions, roomServer } from './roomServer.ts';

export let server: RoomServer;
const open: Connection[] = [];

/** To be called once in a test file. */
export function serveEachTest(): void {
  beforeEach(async () => {
    server = await roomServer();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((connection) => connection.close()));
    await server.close();
  });
}

/** Another server for this test alone, with options. */
export async function serveInstead(options: RoomServerOptions): Promise<void> {
  await server.close();
  server = await roomServer(options);
}

/** A connection that is not opened yet. */
export function connectionOf(userId: number): Connection {
  const connection = workshopConnection({ url: server.url, token: `user-${userId}` });
  open.push(connection);
  return connection;
}

export function connect(userId: number): Connection {
  const connection = connectionOf(userId);
  connection.open();
  return connection;
}

/** A client that is in the room and has its state. */
export async function enter(userId: number, workshopId: number) {
  const connection = connect(userId);
  const follower = followerOf(connection.socket, workshopId);
  const reply = await follower.join();
  if (!reply.ok) throw new Error(reply.error.message);
  await until(() => follower.snapshot().view, { what: 'the state' });
  return { connection, follower, reply };
}

export function view(follower: Follower): RoomView {
  const { view } = follower.snapshot();
  if (view === null) throw new Error('no view');
  return view;
}

export const reaches = (follower: Follower, version: number) =>
  until(() => follower.snapshot().view?.version === version, { what: `version ${version}` });

export const connected = (connection: Connection) =>
  until(() => connection.snapshot().connected, { what: 'the connection' });

/** The user's connection breaks, and the client has noticed. */
export async function cutOff(connection: Connection, userId: number): Promise<void> {
  server.cut(userId);
  await until(() => !connection.snapshot().connected, { what: 'the cut' });
}
