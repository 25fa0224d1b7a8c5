/** Command ids of a workshop that was put back from where it is kept, after the log had forgotten everything. */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redactedData } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';
import { codeOf, history, host, liveWorkshop, type Node, newId, ok, send, startNode, user } from './nodes.ts';

let node: Node;
let client: Redis;
beforeAll(async () => {
  const url = await sharedRedis();
  node = await startNode(url, 'a');
  client = redisClient(url);
});
afterAll(async () => {
  client.disconnect();
  await node.close();
});

/** Redis loses all of the workshop, and gets back what is kept elsewhere. */
async function putBack(id: number, kept: readonly RecordedEvent[]): Promise<void> {
  await client.del(...(await client.keys(`ws:*:${id}:*`)));
  async function* pages() {
    yield kept;
  }
  expect(await node.log.streams.refill(id, pages())).toBe(true);
}

it('[E13] the same command gets the first answer, and any other one is a conflict', async () => {
  const id = await liveWorkshop(node, [2, 3]);
  const [said, approved] = [newId(), newId()];
  await ok(send(node, id, user(2), 'raise-hand', {}));
  const chat = await ok(send(node, id, user(2), 'chat', { message: 'once' }, said));
  // Two events in one append.
  const approval = await ok(send(node, id, host, 'approve-speaker', { targetUserId: 2 }, approved));
  await ok(send(node, id, host, 'revoke-speaker', { targetUserId: 2 }));
  await putBack(id, await history(node.log, id));

  const again = await ok(send(node, id, user(2), 'chat', { message: 'once' }, said));
  expect(again).toMatchObject({ version: chat.version, changed: true });
  expect(await codeOf(send(node, id, user(2), 'chat', { message: 'another' }, said))).toBe('conflict');
  expect(await codeOf(send(node, id, user(2), 'raise-hand', {}, said))).toBe('conflict');
  const approve = (targetUserId: number) =>
    send(node, id, host, 'approve-speaker', { targetUserId }, approved);
  expect(await ok(approve(2))).toMatchObject({ version: approval.version, changed: true });
  expect(await codeOf(approve(3))).toBe('conflict');
  expect(await codeOf(send(node, id, host, 'end', {}, approved))).toBe('conflict');
  expect(node.faults).toEqual([]);
});

it('[E13] a command whose message was deleted since is the same still', async () => {
  const id = await liveWorkshop(node, [2]);
  const commandId = newId();
  const { version } = await ok(send(node, id, user(2), 'chat', { message: 'regretted' }, commandId));
  await ok(send(node, id, user(2), 'delete-chat', { messageId: version }));
  const kept = (await history(node.log, id)).map((event) =>
    event.version === version ? { ...event, data: redactedData(event) } : event,
  );
  await putBack(id, kept);
  expect(await ok(send(node, id, user(2), 'chat', { message: 'regretted' }, commandId))).toMatchObject({
    version,
  });
});
