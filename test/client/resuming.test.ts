/** What outlives a cut: the place in the room's events, and commands that were not answered. */
import { describe, expect, it } from 'vitest';
import { followerOf, workshopConnection } from '../../src/client/workshopClient.ts';
import { stateView } from '../../src/protocol/wire.ts';
import { until } from '../kit/until.ts';
import { connect, cutOff, enter, reaches, serveEachTest, server, view } from './clients.ts';

serveEachTest();

describe('after a cut', () => {
  it('it resumes where it was, without another state', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    let states = 0;
    connection.socket.on('workshop:state', () => states++);
    const { version } = view(follower);
    await cutOff(connection, 2);
    expect(follower.snapshot()).toMatchObject({ phase: 'joining', view: { version } });
    server.act(room, 3, 'join');
    await reaches(follower, room.room.version);
    expect(server.received.at(-1)?.payload).toMatchObject({
      after: { version, epoch: 'first' },
      batch: true,
    });
    expect(states).toBe(0);
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
  });

  it('it takes the state where the server can’t resume', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    await cutOff(connection, 2);
    server.act(room, 3, 'join');
    room.epoch = 'second';
    await until(() => view(follower).epoch === 'second', { what: 'the state' });
    expect(view(follower)).toEqual(stateView(room.room, 'second'));
  });

  it('it goes on under the epoch in which it resumed', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    await cutOff(connection, 2);
    // The version was not past the end of the old epoch: nothing that this client saw was lost.
    room.past.set('first', room.room.version);
    room.epoch = 'second';
    await until(() => view(follower).epoch === 'second', { what: 'the resume' });
    server.cut(2);
    await until(() => server.count('join') === 3, { what: 'the second resume' });
    expect(server.received.at(-1)?.payload.after?.epoch).toBe('second');
    expect(view(follower)).toEqual(stateView(room.room, 'second'));
  });

  it('it stays where it was removed and let in again meanwhile', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    await cutOff(connection, 2);
    server.act(room, 1, 'remove-user', { targetUserId: 2 });
    server.act(room, 1, 'readmit-user', { targetUserId: 2 });
    await until(() => room.room.present.has(2), { what: 'the second join' });
    await reaches(follower, room.room.version);
    expect(follower.snapshot()).toMatchObject({ phase: 'inside', error: null });
    expect(view(follower)).toEqual(stateView(room.room, 'first'));
  });

  it('it repeats the command that was done but not answered, under the same id', async () => {
    const room = server.schedule(1);
    const { follower } = await enter(2, 1);
    server.mishap('chat', 'cut-before-answer');
    const reply = await follower.send('chat', { message: 'once' });
    expect(reply).toMatchObject({ ok: true, changed: true });
    const ids = server.received.filter(({ name }) => name === 'chat').map(({ payload }) => payload.commandId);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
    await reaches(follower, room.room.version);
    expect(view(follower).chat.map(({ message }) => message)).toEqual(['once']);
  });

  it('it sends what was asked for meanwhile, in order and after joining', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    await cutOff(connection, 2);
    const replies = await Promise.all([
      follower.send('chat', { message: 'first' }),
      follower.send('raise-hand'),
      follower.send('chat', { message: 'second' }),
    ]);
    expect(replies.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(server.received.slice(1).map(({ name }) => name)).toEqual(['join', 'chat', 'raise-hand', 'chat']);
    await reaches(follower, room.room.version);
    expect(view(follower).chat.map(({ message }) => message)).toEqual(['first', 'second']);
  });

  it('it holds commands back until a join that was refused for the moment has succeeded', async () => {
    server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    await cutOff(connection, 2);
    server.mishap('join', 'unavailable');
    expect(await follower.send('raise-hand')).toMatchObject({ ok: true, changed: true });
    expect(server.received.slice(1).map(({ name }) => name)).toEqual(['join', 'join', 'raise-hand']);
  });

  it('a workshop that ended unseen is known to be over', async () => {
    const room = server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    await cutOff(connection, 2);
    server.act(room, 1, 'end');
    await until(() => follower.snapshot().phase === 'outside', { what: 'the refusal' });
    expect(follower.snapshot()).toMatchObject({
      error: { code: 'invalid_state' },
      view: { status: 'ended', attendees: [], raisedHands: [] },
    });
  });
});

describe('commands', () => {
  it('resolve to the server’s refusal', async () => {
    server.schedule(1);
    const { follower } = await enter(2, 1);
    expect(await follower.send('mute-user', { targetUserId: 1 })).toMatchObject({
      ok: false,
      error: { code: 'forbidden', retryable: false },
    });
  });

  it('that stay unanswered on a connection that stands are sent again under the same id', async () => {
    server.schedule(1);
    const { socket } = connect(2);
    const follower = followerOf(socket, 1, { limits: { deadlineMs: 5_000, repeatMs: 50, waiting: 10 } });
    await follower.join();
    server.mishap('raise-hand', 'no-answer');
    expect(await follower.send('raise-hand')).toMatchObject({ ok: true, changed: true });
    const ids = server.received
      .filter(({ name }) => name === 'raise-hand')
      .map(({ payload }) => payload.commandId);
    expect(ids).toEqual([ids[0], ids[0]]);
  });

  it('are given up at their deadline, and only so many may wait', async () => {
    const { socket } = workshopConnection({ url: server.url });
    const follower = followerOf(socket, 1, { limits: { deadlineMs: 30, repeatMs: 10, waiting: 2 } });
    const replies = await Promise.all([1, 2, 3].map(() => follower.send('raise-hand')));
    for (const reply of replies)
      expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
    expect(server.received).toEqual([]);
  });

  it('go out without joining for a host who moderates from outside', async () => {
    const room = server.schedule(1);
    server.act(room, 3, 'join');
    const follower = followerOf(connect(1).socket, 1);
    expect(await follower.send('remove-user', { targetUserId: 3 })).toMatchObject({
      ok: true,
      changed: true,
    });
    expect(server.count('join')).toBe(0);
  });

  it('that wait are refused when the connection is closed for good', async () => {
    server.schedule(1);
    const { connection, follower } = await enter(2, 1);
    server.mishap('raise-hand', 'no-answer');
    const raised = follower.send('raise-hand');
    await until(() => server.count('raise-hand') === 1, { what: 'the command' });
    await connection.close();
    expect(await raised).toMatchObject({ ok: false, error: { code: 'unavailable' } });
  });
});
