import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedRedis } from '../kit/shared.ts';
import {
  codeOf,
  history,
  host,
  liveWorkshop,
  type Node,
  newId,
  ok,
  replayed,
  send,
  startNode,
  system,
  user,
} from './nodes.ts';

let a: Node;
let b: Node;

beforeAll(async () => {
  const url = await sharedRedis();
  a = await startNode(url, 'a');
  b = await startNode(url, 'b');
});

afterAll(async () => {
  await a.close();
  await b.close();
  expect([...a.faults, ...b.faults]).toEqual([]);
});

describe('a command', () => {
  it('is answered with the version of the last event that it appended', async () => {
    const id = await liveWorkshop(a, [2]);
    await ok(send(a, id, user(2), 'raise-hand', {}));
    const before = (await history(a.log, id)).length;
    const outcome = await ok(send(a, id, host, 'approve-speaker', { targetUserId: 2 }));
    expect(outcome).toMatchObject({ version: before + 2, changed: true });
    const types = (await history(a.log, id)).slice(before).map(({ type }) => type);
    expect(types).toEqual(['speaker-approved', 'hand-lowered']);
  });

  it('that asks for what holds appends nothing and tells the present version', async () => {
    const id = await liveWorkshop(a, [2]);
    const { version } = await ok(send(a, id, user(2), 'raise-hand', {}));
    expect(await ok(send(a, id, user(2), 'raise-hand', {}))).toMatchObject({ version, changed: false });
  });

  it('takes effect after those that were handed in before it', async () => {
    const id = await liveWorkshop(a, [2]);
    const names = ['raise-hand', 'lower-hand', 'raise-hand', 'lower-hand', 'raise-hand'] as const;
    const outcomes = await Promise.all(names.map((name) => ok(send(a, id, user(2), name, {}))));
    expect(outcomes.map(({ changed }) => changed)).toEqual([true, true, true, true, true]);
    const versions = outcomes.map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((x, y) => x - y));
    expect((await replayed(a.log, id)).hands.has(2)).toBe(true);
  });

  it('of many people at once goes into few appends, each answered with its own version', async () => {
    let appends = 0;
    const url = await sharedRedis();
    const node = await startNode(url, 'grouped', { appended: () => appends++ });
    const id = await liveWorkshop(node, [2, 3]);
    const before = appends;
    const chats = Array.from({ length: 200 }, (_, n) =>
      ok(send(node, id, user(2 + (n % 2)), 'chat', { message: `m${n}` })),
    );
    const versions = (await Promise.all(chats)).map(({ version }) => version);
    expect(new Set(versions).size).toBe(200);
    expect(appends - before).toBeLessThan(20);
    const texts = (await history(node.log, id))
      .slice(-200)
      .map(({ data }) => (data as { message: string }).message);
    expect(texts).toEqual(Array.from({ length: 200 }, (_, n) => `m${n}`));
    await node.close();
  });

  it('to a workshop that does not exist is not_found', async () => {
    expect(await codeOf(send(a, 999_999, user(2), 'raise-hand', {}))).toBe('not_found');
  });
});

describe('a command id', () => {
  it('sent again appends nothing and gets the first answer, on any node and whatever has happened since', async () => {
    const id = await liveWorkshop(a, [2]);
    const commandId = newId();
    const first = await ok(send(a, id, user(2), 'raise-hand', {}, commandId));
    await ok(send(a, id, user(2), 'lower-hand', {}));
    await ok(send(b, id, host, 'end', {}));
    const length = (await history(a.log, id)).length;
    for (const node of [a, b]) {
      const again = await ok(send(node, id, user(2), 'raise-hand', {}, commandId));
      expect(again).toMatchObject({ version: first.version, changed: true });
    }
    expect(await history(a.log, id)).toHaveLength(length);
  });

  it('[E12] is looked for before its command is refused, however new the room is', async () => {
    const id = await liveWorkshop(a, [2, 3]);
    const commandId = newId();
    const first = await ok(send(a, id, user(2), 'raise-hand', {}, commandId));
    await ok(send(a, id, host, 'remove-user', { targetUserId: 2 }));
    // The append of the first one makes the room newer than the second command is.
    const said = ok(send(a, id, user(3), 'chat', { message: 'meanwhile' }));
    const again = await ok(send(a, id, user(2), 'raise-hand', {}, commandId));
    expect(again).toMatchObject({ version: first.version, changed: true });
    await said;
  });

  it('sent twice at the same time, to two nodes, is done once', async () => {
    const id = await liveWorkshop(a, [2]);
    const commandId = newId();
    const chat = (node: Node) => ok(send(node, id, user(2), 'chat', { message: 'once' }, commandId));
    const versions = (await Promise.all([chat(a), chat(b), chat(a), chat(b)])).map(({ version }) => version);
    expect(new Set(versions).size).toBe(1);
    const said = (await history(a.log, id)).filter(({ type }) => type === 'chat-message');
    expect(said).toHaveLength(1);
  });

  it('with another payload or another command is a conflict', async () => {
    const id = await liveWorkshop(a, [2]);
    const commandId = newId();
    await ok(send(a, id, user(2), 'chat', { message: 'one' }, commandId));
    expect(await codeOf(send(b, id, user(2), 'chat', { message: 'two' }, commandId))).toBe('conflict');
    expect(await codeOf(send(a, id, user(2), 'raise-hand', {}, commandId))).toBe('conflict');
  });

  it('belongs to its user: another one may use the same', async () => {
    const id = await liveWorkshop(a, [2, 3]);
    const commandId = newId();
    await ok(send(a, id, user(2), 'raise-hand', {}, commandId));
    expect(await codeOf(send(a, id, user(3), 'raise-hand', {}, commandId))).toBe('changed');
  });

  it('of a command that was refused is forgotten', async () => {
    const id = await liveWorkshop(a, [2]);
    const commandId = newId();
    expect(await codeOf(send(a, id, user(2), 'approve-speaker', { targetUserId: 2 }, commandId))).toBe(
      'forbidden',
    );
    expect(await codeOf(send(a, id, user(2), 'raise-hand', {}, commandId))).toBe('changed');
  });
});

describe('two nodes', () => {
  it('see what the other acknowledged before they refuse', async () => {
    const id = await liveWorkshop(a);
    expect(await codeOf(send(b, id, user(2), 'join', {}))).toBe('not_a_member');
    await ok(send(a, id, user(2), 'rsvp', {}));
    expect(await codeOf(send(b, id, user(2), 'join', {}))).toBe('changed');
    await ok(send(a, id, host, 'remove-user', { targetUserId: 2 }));
    expect(await codeOf(send(b, id, user(2), 'chat', { message: 'still here' }))).toBe('removed');
    await ok(send(a, id, host, 'readmit-user', { targetUserId: 2 }));
    expect(await codeOf(send(b, id, user(2), 'join', {}))).toBe('changed');
  });

  it('never let more in than there is room for', async () => {
    const id = await liveWorkshop(a, [], { capacity: 10 });
    const people = Array.from({ length: 40 }, (_, n) => 100 + n);
    await Promise.all(people.map((person) => ok(send(a, id, user(person), 'rsvp', {}))));
    const codes = await Promise.all(
      people.map((person) => codeOf(send(person % 2 ? a : b, id, user(person), 'join', {}))),
    );
    expect(codes.filter((code) => code === 'changed')).toHaveLength(10);
    expect(codes.filter((code) => code === 'workshop_full')).toHaveLength(30);
    expect((await replayed(b.log, id)).present.size).toBe(10);
  });

  it('record one joining for one user who comes on both at once', async () => {
    const id = await liveWorkshop(a);
    await ok(send(a, id, user(2), 'rsvp', {}));
    await Promise.all([a, b, a, b].map((node) => ok(send(node, id, user(2), 'join', {}))));
    const joined = (await history(a.log, id)).filter(({ type }) => type === 'user-joined');
    expect(joined).toHaveLength(1);
  });

  it('write one room with contiguous versions and times that never fall', async () => {
    const id = await liveWorkshop(a, [2, 3]);
    const work = Array.from({ length: 300 }, (_, n) => {
      const node = n % 2 ? a : b;
      const who = user(2 + (n % 2));
      return n % 10 === 0
        ? codeOf(send(node, id, who, n % 20 === 0 ? 'raise-hand' : 'lower-hand', {}))
        : codeOf(send(node, id, who, 'chat', { message: `${n}` }));
    });
    const codes = await Promise.all(work);
    expect(codes.filter((code) => code !== 'changed' && code !== 'unchanged')).toEqual([]);
    const events = await history(a.log, id);
    expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
    expect(events.every(({ at }, index) => at >= (events[index - 1]?.at ?? 0))).toBe(true);
    expect(events.filter(({ type }) => type === 'chat-message')).toHaveLength(270);
  });

  it('hold someone who is on both until the last of them lets go', async () => {
    const id = await liveWorkshop(a);
    await a.log.presence.renew('a', 10_000);
    await b.log.presence.renew('b', 10_000);
    await ok(send(a, id, user(2), 'rsvp', {}));
    await ok(send(a, id, user(2), 'join', {}));
    await ok(send(b, id, user(2), 'join', {}));
    expect(await codeOf(send(a, id, user(2), 'leave', {}))).toBe('unchanged');
    expect((await replayed(a.log, id)).present.has(2)).toBe(true);
    await b.log.presence.drop(id, [2], b.name);
    expect(await codeOf(send(b, id, system, 'drop-user', { userId: 2 }))).toBe('changed');
    expect((await replayed(a.log, id)).present.has(2)).toBe(false);
  });
});

describe('the room', () => {
  it('is as new as the last acknowledgement on any node', async () => {
    const id = await liveWorkshop(a);
    for (const title of ['one', 'two', 'three']) {
      const { workshopId } = await a.log.ids.allocate();
      await ok(
        send(a, workshopId, host, 'schedule-workshop', { title, scheduledAt: new Date().toISOString() }),
      );
      expect((await b.engine.room(workshopId))?.room.title).toBe(title);
      await ok(send(a, workshopId, host, 'update-workshop', { title: `${title}!` }));
      expect((await b.engine.room(workshopId))?.room.title).toBe(`${title}!`);
    }
    expect((await b.engine.room(id))?.room.status).toBe('live');
    expect(await b.engine.room(888_888)).toBeUndefined();
  });
});
