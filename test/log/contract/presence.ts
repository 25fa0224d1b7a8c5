/** Who is held in a room by which node, and what becomes of it when the node dies. */
import { expect, test } from 'vitest';
import type { EventLog } from '../../../src/log/log.ts';
import { until } from '../../kit/until.ts';
import type { Stage } from '../contract.ts';
import { as, command, send, sent } from '../drafts.ts';

const workshopId = 61;
const long = 60_000;

/** What nodes left behind, as `node workshop users`, in order. */
async function expired(log: EventLog): Promise<string[]> {
  const found = (await log.presence.expired()).filter(({ userIds }) => userIds.length > 0);
  return found.map((each) => `${each.node} ${each.workshopId} ${[...each.userIds].sort()}`).sort();
}

/** A node that held these users and whose lease has run out. */
async function deadNode(log: EventLog, node: string, userIds: readonly number[], workshop = workshopId) {
  await log.presence.renew(node, 1);
  await log.presence.hold(workshop, userIds, node);
  await until(async () => (await expired(log)).some((each) => each.startsWith(`${node} ${workshop} `)), {
    what: `the lease of ${node} to run out`,
  });
}

export function presenceTests(stage: Stage): void {
  test('what a living node holds has not expired', async () => {
    const { log } = stage;
    await log.presence.renew('a', long);
    await log.presence.hold(workshopId, [7, 8], 'a');
    expect(await expired(log)).toEqual([]);
  });

  test('what a node held is found after its lease ran out, until it is forgotten', async () => {
    const { log } = stage;
    await deadNode(log, 'dead', [7, 8]);
    await deadNode(log, 'dead', [9], 62);
    expect(await expired(log)).toEqual(['dead 61 7,8', 'dead 62 9']);
    await log.presence.forget(workshopId, 'dead');
    expect(await expired(log)).toEqual(['dead 62 9']);
    await log.presence.forget(62, 'dead');
    expect(await expired(log)).toEqual([]);
  });

  test('a node that renews in time keeps what it holds, one that comes back takes it up again', async () => {
    const { log } = stage;
    await deadNode(log, 'a', [7]);
    await log.presence.renew('a', long);
    expect(await expired(log)).toEqual([]);
  });

  test('a user whom a living node holds too has not expired', async () => {
    const { log } = stage;
    const other = await stage.second();
    await other.presence.renew('b', long);
    await other.presence.hold(workshopId, [8], 'b');
    await deadNode(log, 'dead', [7, 8]);
    expect(await expired(log)).toEqual(['dead 61 7']);
  });

  test('a released hold is gone, that of another node stays', async () => {
    const { log } = stage;
    for (const node of ['a', 'b']) {
      await log.presence.renew(node, long);
      await log.presence.hold(workshopId, [7], node);
    }
    await log.presence.release(workshopId, [7], 'b');
    await log.presence.drop(workshopId, [7], 'a');
    as('appended', await send(log, { workshopId, node: 'a' }, command({ unlessHeld: 7 })));
  });

  test('the own waiting for a user does not keep the presence from ending, and ends with it', async () => {
    const { log } = stage;
    await log.presence.renew('a', long);
    await log.presence.hold(workshopId, [7], 'a');
    await log.presence.drop(workshopId, [7], 'a');
    await sent(log, { workshopId, node: 'a' }, command({ unlessHeld: 7 }));
    // Nothing of it is left that would hold up another node's word.
    as('appended', await send(log, { workshopId, base: 1, node: 'b' }, command({ unlessHeld: 7 })));
  });

  test('a user who is back before the node that waited says that they are gone stays', async () => {
    const { log } = stage;
    await log.presence.renew('a', long);
    await log.presence.hold(workshopId, [7], 'a');
    await log.presence.drop(workshopId, [7], 'a');
    await log.presence.hold(workshopId, [7], 'a');
    as('held', await send(log, { workshopId, node: 'a' }, command({ unlessHeld: 7 })));
    // And still so: the connection was not dropped by it.
    as('held', await send(log, { workshopId, node: 'b' }, command({ unlessHeld: 7 })));
  });

  test('who leaves has left, although another node still awaits them; a connection there keeps them', async () => {
    const { log } = stage;
    const leaving = command({ unlessHeld: 7, leaves: true });
    for (const node of ['a', 'b']) {
      await log.presence.renew(node, long);
      await log.presence.hold(workshopId, [7], node);
    }
    as('held', await send(log, { workshopId, node: 'b' }, leaving));
    await log.presence.drop(workshopId, [7], 'a');
    await log.presence.hold(workshopId, [7], 'b');
    as('appended', await send(log, { workshopId, node: 'b' }, leaving));
  });

  test('whom another node awaits is not gone yet', async () => {
    const { log } = stage;
    for (const node of ['a', 'b']) {
      await log.presence.renew(node, long);
      await log.presence.hold(workshopId, [7], node);
      await log.presence.drop(workshopId, [7], node);
    }
    as('held', await send(log, { workshopId, node: 'a' }, command({ unlessHeld: 7 })));
    as('appended', await send(log, { workshopId, node: 'b' }, command({ unlessHeld: 7 })));
  });

  test('who is not held is not awaited either', async () => {
    const { log } = stage;
    await log.presence.renew('a', long);
    await log.presence.drop(workshopId, [7], 'a');
    as('appended', await send(log, { workshopId, node: 'b' }, command({ unlessHeld: 7 })));
  });

  test('a node is told that its lease had run out, and a node that lives is not forgotten', async () => {
    const { log } = stage;
    expect(await log.presence.renew('a', 1)).toBe(false);
    await log.presence.hold(workshopId, [7], 'a');
    await until(async () => (await expired(log)).length > 0, { what: 'the lease to run out' });
    expect(await log.presence.renew('a', long)).toBe(false);
    expect(await log.presence.renew('a', long)).toBe(true);
    // Whoever found it dead a moment ago comes too late.
    await log.presence.forget(workshopId, 'a');
    as('held', await send(log, { workshopId, node: 'b' }, command({ unlessHeld: 7 })));
    await log.presence.end(workshopId, 'a');
    as('appended', await send(log, { workshopId, node: 'b' }, command({ unlessHeld: 7 })));
  });

  test('a presence that another living node holds does not end, and nothing is appended', async () => {
    const { log } = stage;
    const other = await stage.second();
    await other.presence.renew('b', long);
    await other.presence.hold(workshopId, [7], 'b');
    const answer = as(
      'held',
      await send(log, { workshopId, node: 'a' }, command(), command({ unlessHeld: 7 })),
    );
    expect(answer.commands).toEqual([1]);
    expect(await log.events.head(workshopId)).toBeNull();
  });

  test('the own hold is dropped also where another one keeps the presence: the last one out ends it', async () => {
    const { log } = stage;
    for (const node of ['a', 'b']) {
      await log.presence.renew(node, long);
      await log.presence.hold(workshopId, [7], node);
    }
    const leaving = () => command({ unlessHeld: 7, leaves: true });
    as('held', await send(log, { workshopId, node: 'a' }, leaving()));
    as('appended', await send(log, { workshopId, node: 'b' }, leaving()));
  });

  test('a dead node holds nobody, and an ended presence is not found with it again', async () => {
    const { log } = stage;
    await log.presence.renew('a', long);
    await deadNode(log, 'dead', [7, 8]);
    await sent(log, { workshopId, node: 'a' }, command({ unlessHeld: 7 }));
    expect(await expired(log)).toEqual(['dead 61 8']);
  });

  test('a hold counts in its own workshop alone, and for its own user', async () => {
    const { log } = stage;
    await log.presence.renew('b', long);
    await log.presence.hold(62, [7], 'b');
    await log.presence.hold(workshopId, [70], 'b');
    as('appended', await send(log, { workshopId, node: 'a' }, command({ unlessHeld: 7 })));
  });
}
