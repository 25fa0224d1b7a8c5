/** What arrives too late: answers to what was taken back or asked again, and what is older than what is known. */
import { describe, expect, it } from 'vitest';
import { commandQueue } from '../../src/client/commandQueue.ts';
import { followerOf } from '../../src/client/workshopClient.ts';
import { type Reply, stateView } from '../../src/protocol/wire.ts';
import { until } from '../kit/until.ts';
import { connect, connected, enter, reaches, serveEachTest, server, view } from './clients.ts';

describe('a client', () => {
  serveEachTest();

  it('is out where it left before its join was answered, and stays out', async () => {
    server.schedule(1);
    const connection = connect(2);
    await connected(connection);
    const follower = followerOf(connection.socket, 1);
    const unsubscribe = follower.subscribe(() => {});
    const joined = follower.join();
    const left = follower.leave();
    expect(await joined).toMatchObject({ ok: false, error: { code: 'not_joined' } });
    // The join's answer came before this one.
    expect(await left).toMatchObject({ ok: true });
    expect(follower.snapshot().phase).toBe('outside');
    server.cut(2);
    await until(() => server.handshakes.length === 2 && connection.snapshot().connected, {
      what: 'the reconnect',
    });
    expect(await follower.send('raise-hand')).toMatchObject({ error: { code: 'not_joined' } });
    expect(server.count('join')).toBe(1);
    unsubscribe();
  });

  it('[D5] asks again for a page of attendees that is older than what it has seen', async () => {
    const room = server.schedule(1);
    for (let userId = 3; userId <= 5; userId++) server.act(room, userId, 'join');
    const { follower } = await enter(2, 1);
    server.beforeNextPage(() => server.act(room, 4, 'leave'));
    expect(await follower.loadAttendees()).toBe(true);
    expect(view(follower).attendees.map(({ userId }) => userId)).toEqual([3, 5, 2]);
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
    expect(server.count('attendees')).toBe(2);
  });

  it('[H1] goes back to no state that is older than what it has seen', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    const before = structuredClone(stateView(room.room, 'first'));
    const versions: number[] = [];
    const unsubscribe = follower.subscribe(() => versions.push(view(follower).version));
    server.act(room, 3, 'join');
    for (const socket of server.sockets(2)) socket.emit('workshop:state', before);
    server.act(room, 3, 'raise-hand');
    await reaches(follower, room.room.version);
    expect(versions).toEqual([before.version + 1, before.version + 2]);
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
    unsubscribe();
  });
});

describe('a command', () => {
  it('[H3] that was sent again is settled by the answer to its last sending alone', async () => {
    const sent: ((reply: Reply | undefined) => void)[] = [];
    const queue = commandQueue({
      isOpen: () => true,
      send: (_name, _payload, _withinMs, answered) => void sent.push(answered),
    });
    const settled: Reply[] = [];
    const pushed = queue.push('raise-hand', {}).then((reply) => settled.push(reply));
    queue.interrupt();
    queue.flush();
    expect(sent).toHaveLength(2);
    sent[0]?.({ ok: false, error: { code: 'unavailable', message: 'cut off', retryable: true } });
    sent[0]?.(undefined);
    await Promise.resolve();
    expect([settled, sent.length]).toEqual([[], 2]);
    sent[1]?.({ ok: true, version: 7, changed: true });
    await pushed;
    expect(settled).toEqual([{ ok: true, version: 7, changed: true }]);
    queue.close();
  });
});
