/** Following a room over real sockets: joining, what the server sends, and every end of it. */
import { describe, expect, it } from 'vitest';
import { followerOf } from '../../src/client/workshopClient.ts';
import type { LooseEvent } from '../../src/protocol/wire.ts';
import { stateView } from '../../src/protocol/wire.ts';
import { until } from '../kit/until.ts';
import {
  connect,
  connected,
  connectionOf,
  cutOff,
  enter,
  reaches,
  serveEachTest,
  serveInstead,
  server,
  view,
} from './clients.ts';

serveEachTest();

describe('joining', () => {
  it('brings the state, and every event after it as batches', async () => {
    const room = server.schedule(1);
    const { follower, reply } = await enter(2, 1);
    expect(reply).toMatchObject({ ok: true, changed: true, resumed: false, epoch: 'first' });
    expect(server.received[0]?.payload).toMatchObject({ workshopId: 1, batch: true });
    expect(follower.snapshot().phase).toBe('inside');

    server.act(room, 3, 'join');
    server.act(room, 3, 'raise-hand');
    server.act(room, 3, 'chat', { message: 'hello' });
    await reaches(follower, room.room.version);
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
  });

  it('may be wished for before there is a connection', async () => {
    server.schedule(1);
    const connection = connectionOf(2);
    const joined = followerOf(connection.socket, 1).join();
    connection.open();
    expect(await joined).toMatchObject({ ok: true });
    expect(server.handshakes).toEqual([{ userId: 2, protocol: 1 }]);
  });

  it('is refused with the server’s reason, and then not tried again', async () => {
    server.schedule(1);
    const connection = connect(77);
    const follower = followerOf(connection.socket, 1);
    expect(await follower.join()).toMatchObject({ ok: false, error: { code: 'not_a_member' } });
    expect(follower.snapshot()).toMatchObject({
      phase: 'outside',
      view: null,
      error: { code: 'not_a_member' },
    });
    server.cut(77);
    await until(() => server.handshakes.length === 2 && connection.snapshot().connected, {
      what: 'the reconnect',
    });
    expect(server.count('join')).toBe(1);
  });

  it('is tried again by itself where the refusal may pass', async () => {
    server.schedule(1);
    server.mishap('join', 'unavailable', 'conflict');
    const follower = followerOf(connect(2).socket, 1);
    expect(await follower.join()).toMatchObject({
      ok: false,
      error: { code: 'unavailable', retryable: true },
    });
    expect(follower.snapshot().phase).toBe('joining');
    await until(() => follower.snapshot().phase === 'inside', { what: 'being let in' });
    expect(follower.snapshot().error).toBeNull();
    expect(server.count('join')).toBe(3);
  });

  it('is shared by all who follow the same room on the same socket', async () => {
    server.schedule(1);
    const { socket } = connect(2);
    expect(followerOf(socket, 1)).toBe(followerOf(socket, 1));
    expect(followerOf(socket, 1)).not.toBe(followerOf(socket, 2));
    await Promise.all([followerOf(socket, 1).join(), followerOf(socket, 1).join()]);
    expect(server.count('join')).toBe(1);
  });

  it('keeps apart the rooms that one socket follows', async () => {
    server.schedule(1);
    const second = server.schedule(2);
    const { connection, follower } = await enter(2, 1);
    const other = followerOf(connection.socket, 2);
    await other.join();
    const before = view(follower);
    server.act(second, 3, 'join');
    await reaches(other, second.room.version);
    expect(view(follower)).toBe(before);
    expect(view(other)).toMatchObject({ workshopId: 2, attendeeCount: 2 });
  });
});

describe('what the server sends', () => {
  it('is understood as single events too, for whoever joined by hand on the socket', async () => {
    const room = server.schedule(1);
    const { socket } = connect(2);
    const follower = followerOf(socket, 1);
    const unsubscribe = follower.subscribe(() => {});
    await until(() => socket.connected, { what: 'the connection' });
    await socket.timeout(2_000).emitWithAck('workshop:join', { workshopId: 1 });
    server.act(room, 3, 'join');
    server.act(room, 1, 'promote-cohost', { targetUserId: 3 });
    await until(() => follower.snapshot().view?.version === room.room.version, { what: 'the events' });
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
    unsubscribe();
  });

  it('reaches listeners on the socket as single events, though it came in batches', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    const muted: unknown[] = [];
    connection.socket.on('workshop:user-muted', (event) => muted.push(event));
    server.act(room, 1, 'mute-user', { targetUserId: 2 });
    await reaches(follower, room.room.version);
    const { version } = room.room;
    const at = new Date(room.room.at).toISOString();
    expect(muted).toEqual([{ workshopId: 1, version, at, userId: 2, by: 1 }]);
  });

  it('is told event by event, each once, across a reconnect', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    const heard: number[] = [];
    const first = view(follower).version + 1;
    follower.onEvent((event: LooseEvent) => heard.push(event.version));
    server.act(room, 3, 'join');
    await reaches(follower, room.room.version);
    await cutOff(connection, 2);
    server.act(room, 3, 'raise-hand');
    server.act(room, 3, 'lower-hand');
    await reaches(follower, room.room.version);
    server.act(room, 3, 'leave');
    await reaches(follower, room.room.version);
    expect(heard).toEqual([first, first + 1, first + 2, first + 3]);
  });

  it('leaves a deleted message in its place, without its text', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    expect(await follower.send('chat', { message: 'regrettable' })).toMatchObject({ ok: true });
    const id = room.room.version;
    await reaches(follower, id);
    expect(view(follower).chat).toMatchObject([{ id, message: 'regrettable' }]);
    server.act(room, 1, 'delete-chat', { messageId: id });
    await reaches(follower, room.room.version);
    expect(view(follower).chat).toMatchObject([{ id, message: null, deleted: true }]);
  });

  it('with a version missing makes it ask for a fresh state by joining again', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    server.act(room, 3, 'join');
    await reaches(follower, room.room.version);
    room.lost.add(room.room.version + 1);
    server.act(room, 3, 'raise-hand');
    server.act(room, 3, 'chat', { message: 'after the gap' });
    await reaches(follower, room.room.version);
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
    expect(server.received.filter(({ name }) => name === 'join').map(({ payload }) => payload.after)).toEqual(
      [undefined, undefined],
    );
  });

  it('under a new epoch replaces everything, though its version is lower', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    server.act(room, 3, 'join');
    await reaches(follower, room.room.version);
    const survivor = server.schedule(1);
    for (const [socket, subscription] of room.subscriptions) survivor.subscriptions.set(socket, subscription);
    server.restartLog(survivor, 'second');
    await until(() => view(follower).epoch === 'second', { what: 'the new epoch' });
    expect(view(follower)).toEqual(stateView(survivor.room, 'second'));
  });
});

describe('the end of following', () => {
  it('by leaving forgets the room and hears no more of it', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    expect(await follower.leave()).toMatchObject({ ok: true, changed: true });
    expect(follower.snapshot()).toMatchObject({ view: null, phase: 'outside', error: null });
    expect(room.room.present.has(2)).toBe(false);
    expect(await follower.leave()).toMatchObject({ ok: false, error: { code: 'not_joined' } });
  });

  it('by leaving before the join was answered holds, and joining again works', async () => {
    const room = server.schedule(1);
    const connection = connect(2);
    await connected(connection);
    const follower = followerOf(connection.socket, 1);
    const joined = follower.join();
    const left = follower.leave();
    const again = follower.join();
    expect(await joined).toMatchObject({ ok: false, error: { code: 'not_joined' } });
    expect(await left).toMatchObject({ ok: true });
    expect(await again).toMatchObject({ ok: true, changed: true });
    await until(() => follower.snapshot().view, { what: 'the state' });
    expect(room.room.present.has(2)).toBe(true);
    expect(server.received.map(({ name }) => name)).toEqual(['join', 'leave', 'join']);
  });

  it('by the workshop’s end keeps the last of it, and does not join again', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    server.act(room, 1, 'end');
    await until(() => follower.snapshot().phase === 'outside', { what: 'the end' });
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
    expect(view(follower).endedAt).not.toBeNull();
    server.cut(2);
    await until(() => server.handshakes.length === 2 && connection.snapshot().connected, {
      what: 'the reconnect',
    });
    expect(server.count('join')).toBe(1);
  });

  it('by removal is noticed from the event, and by nobody whom it does not concern', async () => {
    const room = server.schedule(1);
    const bystander = await enter(3, 1);
    const { follower } = await enter(2, 1);
    await reaches(bystander.follower, room.room.version);
    server.act(room, 1, 'remove-user', { targetUserId: 2, reason: 'noise' });
    await until(() => follower.snapshot().phase === 'outside', { what: 'the removal' });
    const removed = { view: null, error: { code: 'removed' }, removalReason: 'noise' };
    expect(follower.snapshot()).toMatchObject(removed);
    await reaches(bystander.follower, room.room.version);
    expect(bystander.follower.snapshot()).toMatchObject({
      phase: 'inside',
      error: null,
      removalReason: null,
    });
    expect(server.count('join')).toBe(2);
    expect(await follower.join()).toMatchObject({ ok: false, error: { code: 'removed' } });
    expect(follower.snapshot()).toMatchObject(removed);
  });

  it('by removal is noticed although the log lost the joining, and gives lower versions out anew', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    const { version } = room.room;
    const [socket] = server.sockets(2);
    socket?.emit('workshop:state', { ...stateView(room.room, 'second'), version: version - 3 });
    const removal = { workshopId: 1, userId: 2, by: 1, reason: 'noise' };
    socket?.emit('workshop:user-removed', { ...removal, version: version - 2, at: new Date().toISOString() });
    await until(() => follower.snapshot().phase === 'outside', { what: 'the removal' });
    expect(follower.snapshot()).toMatchObject({
      view: null,
      error: { code: 'removed' },
      removalReason: 'noise',
    });
  });

  it('leaves nothing listening on the socket', async () => {
    server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    const unsubscribe = follower.subscribe(() => {});
    expect(connection.socket.listenersAny()).toHaveLength(1);
    await follower.leave();
    unsubscribe();
    expect(connection.socket.listenersAny()).toHaveLength(0);
  });
});

describe('a room of more people than a state lists', () => {
  it('lists everyone once their pages were fetched', async () => {
    await serveInstead({ listed: 2 });
    const room = server.schedule(1);
    for (let userId = 3; userId <= 9; userId++) server.act(room, userId, 'join');
    const { follower } = await enter(2, 1);
    expect(view(follower)).toMatchObject({ attendeeCount: 8, attendees: { length: 2 } });
    expect(await follower.loadAttendees()).toBe(true);
    expect(view(follower).attendees).toEqual(stateView(room.room, 'first').attendees);
    expect(server.count('attendees')).toBe(4);
  });
});

describe('snapshots', () => {
  it('stay the same object until something changes', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    let changes = 0;
    const unsubscribe = follower.subscribe(() => changes++);
    const before = follower.snapshot();
    expect(follower.snapshot()).toBe(before);
    server.act(room, 3, 'join');
    await reaches(follower, room.room.version);
    expect(follower.snapshot()).not.toBe(before);
    expect(changes).toBe(1);
    unsubscribe();
  });
});
