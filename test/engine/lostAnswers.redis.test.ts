/** Appends that were done and whose answers never came: nobody knows, and only the same id can tell. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { workshopEngine } from '../../src/engine/engine.ts';
import { sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';
import { codeOf, history, liveWorkshop, type Node, newId, ok, send, startNode, user } from './nodes.ts';

let node: Node;
beforeAll(async () => {
  node = await startNode(await sharedRedis(), 'a');
});
afterAll(() => node.close());

it('[F12] a command whose answer was lost is told so, and is not decided again by itself', async () => {
  const workshopId = await liveWorkshop(node, [2, 3]);
  const { log } = node;
  let ahead = 0;
  let isLosing = true;
  const engine = workshopEngine({
    node: 'loses',
    log: {
      ...log,
      now: () => log.now() + ahead,
      events: {
        ...log.events,
        async append(request) {
          const answer = await log.events.append(request);
          if (isLosing) throw new Error('the answer is lost');
          return answer;
        },
      },
    },
  });
  await engine.room(workshopId);
  const commandId = newId();
  const say = (who: number, message: string, id?: string) =>
    send({ engine }, workshopId, user(who), 'chat', { message }, id);
  const first = codeOf(say(2, 'one', commandId));
  // Both go into one append; this one would have most of its time left.
  ahead = 1_500;
  const second = codeOf(say(3, 'two'));
  expect(await Promise.all([first, second])).toEqual(['unavailable', 'unavailable']);
  isLosing = false;
  ahead = 0;
  const texts = async () =>
    (await history(log, workshopId))
      .filter(({ type }) => type === 'chat-message')
      .map(({ data }) => (data as { message: string }).message);
  // On a machine that stands still the append may arrive after it was given up.
  await until(async () => (await texts()).length > 1, { what: 'both to be said' });
  expect(await texts()).toEqual(['one', 'two']);
  const { version = 0 } = (await log.events.head(workshopId)) ?? {};
  expect(await ok(say(2, 'one', commandId))).toMatchObject({ version: version - 1, changed: true });
  expect(await texts()).toEqual(['one', 'two']);
  await engine.close();
});
