/**
 * Many people who do what people do, by chance, over two nodes that are killed, restarted, frozen and cut off by chance. At rest
 * what every client has, a replay of the log, and the tables agree, whatever the seed: `SEED=… npx vitest run test/faults/fuzz`
 * repeats one that did not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chance, seeded } from '../kit/seeded.ts';
import { type Stage, stage } from './stage.ts';

/** How long it goes on, in milliseconds, and how many commands a second each workshop is asked. */
const durationMs = Number(process.env.FUZZ_MS ?? 25_000);
const perSecond = 30;

let on: Stage;

beforeAll(async () => {
  // A short spread, so that a node that ends in good order ends within the run.
  on = await stage({ nodes: [{}, {}], env: { DRAIN_MS: '1500' } });
}, 60_000);
afterAll(() => on?.close());

/** What can befall one of the nodes or the Redis under them; resolves when it has passed. */
function mishaps(chance: Chance): Record<string, () => Promise<void>> {
  const anyNode = () => chance.of(on.nodes);
  const aWhile = () => sleep(200 + chance.below(1_500));
  return {
    async 'a node is killed'() {
      const node = anyNode();
      await node.kill();
      await aWhile();
      await node.start();
    },
    async 'a node is restarted'() {
      const node = anyNode();
      expect(await node.stop()).toBe(0);
      await node.start();
    },
    async 'a node is frozen, perhaps beyond its lease'() {
      const node = anyNode();
      await node.freeze();
      await sleep(500 + chance.below(4_000));
      node.thaw();
    },
    async 'connections of people break'() {
      anyNode().people.cut(chance.of(['fin', 'rst'] as const));
    },
    async 'a network swallows what people say or hear'() {
      const { people } = anyNode();
      people.swallow(chance.of(['toServer', 'toClient', undefined] as const));
      await aWhile();
      people.mend();
    },
    async 'a node loses its Redis'() {
      const { store } = anyNode();
      if (chance.below(2) === 0) store.sever();
      else store.swallow();
      await aWhile();
      store.mend();
      // What was swallowed goes on where it was; a broken connection is made anew.
      store.cut('rst');
    },
    async 'Redis drops every client'() {
      await on.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    async 'Redis forgets its scripts'() {
      await on.client.script('FLUSH');
    },
    async 'Redis is killed and comes back'() {
      await on.redis.kill();
      await aWhile();
      await on.redis.start();
    },
  };
}

it('[F29] whatever befalls nodes, networks and Redis, clients, log and tables agree in the end', {
  timeout: durationMs + 120_000,
}, async () => {
  const chance = seeded('fuzz');
  const rooms = [
    await on.gather('fuzz, with comings and goings', 14),
    await on.gather('fuzz, talking', 8, { comings: false }),
  ];
  for (const room of rooms) room.begin(perSecond);
  const possible = mishaps(chance);
  const befell: string[] = [];
  const end = performance.now() + durationMs;
  try {
    while (performance.now() < end) {
      const what = chance.of(Object.keys(possible));
      befell.push(what);
      await possible[what]?.();
      await sleep(300 + chance.below(700));
    }
    expect((await on.verdict(rooms)).violations).toEqual([]);
  } finally {
    console.log(befell.join(', '));
  }
  for (const room of rooms) {
    expect(room.done).toBeGreaterThan(20);
    room.close();
  }
});
