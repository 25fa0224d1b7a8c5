/** Asking again with the same `Idempotency-Key`, on any node and at any moment, does nothing twice. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisLog } from '../../src/log/redis/log.ts';
import { sharedRedis } from '../kit/shared.ts';
import { people, type RestServer, restServer } from './restServer.ts';

const { host, coHost, stranger } = people;
let nodes: [RestServer, RestServer];

beforeAll(async () => {
  const url = await sharedRedis();
  const node = async () =>
    restServer({
      projecting: false,
      log: await redisLog({ address: { url }, partitions: 4, onError: () => undefined }),
    });
  nodes = [await node(), await node()];
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()));
});

const workshop = { title: 'Felting', scheduledAt: '2030-05-01T10:00:00Z' };
const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });

it('schedules one workshop for one key, however often and wherever it is asked', async () => {
  const [one, two] = nodes;
  const key = keyed('monday "felting" / 1');
  const first = await one.ask(host, 'POST /api/workshops', workshop, key);
  expect(first.status).toBe(201);
  for (const node of [one, two, one]) {
    const again = await node.ask(host, 'POST /api/workshops', workshop, key);
    expect(again).toMatchObject({ status: 201, body: first.body });
  }
  expect(await two.log.events.head(first.body.id)).toMatchObject({ version: 1 });
});

it('schedules one workshop for requests that arrive together on two nodes', async () => {
  for (let round = 0; round < 10; round++) {
    const key = keyed(randomUUID());
    const answers = await Promise.all(
      [...nodes, ...nodes].map((node) => node.ask(host, 'POST /api/workshops', workshop, key)),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const ids = new Set(answers.map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    expect(await nodes[0].log.events.head(answers[0]?.body.id)).toMatchObject({ version: 1 });
  }
});

it('gives the same workshop also when it has gone on since, and is over', async () => {
  const key = keyed('late');
  const { body } = await nodes[0].ask(host, 'POST /api/workshops', workshop, key);
  await nodes[1].ask(host, `POST /api/workshops/${body.id}/start`);
  await nodes[1].ask(host, `POST /api/workshops/${body.id}/end`);
  const again = await nodes[0].ask(host, 'POST /api/workshops', workshop, key);
  expect(again).toMatchObject({ status: 201, body: { id: body.id, status: 'ended', version: 3 } });
});

it('refuses another body under the same key, and takes the key of another user', async () => {
  const key = keyed('mine');
  const first = await nodes[0].ask(host, 'POST /api/workshops', workshop, key);
  const other = await nodes[1].ask(host, 'POST /api/workshops', { ...workshop, title: 'Knitting' }, key);
  expect(other).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  // What counts is what was meant: spelled otherwise it is the same.
  const same = { scheduledAt: '2030-05-01T12:00:00+02:00', title: ' Felting ', visibility: 'public' };
  const spelled = await nodes[1].ask(host, 'POST /api/workshops', same, key);
  expect(spelled).toMatchObject({ status: 201, body: { id: first.body.id } });
  const theirs = await nodes[0].ask(coHost, 'POST /api/workshops', workshop, key);
  expect(theirs.status).toBe(201);
  expect(theirs.body.id).not.toBe(first.body.id);
});

it.each(['a word', randomUUID()])(
  'does a command once under the key "%s", whatever happened since',
  async (key) => {
    const [one, two] = nodes;
    const id = await one.workshop();
    const rsvp = `POST /api/workshops/${id}/rsvp`;
    const first = await one.ask(stranger, rsvp, undefined, keyed(key));
    expect(first).toMatchObject({ status: 200, body: { changed: true } });
    await one.ask(stranger, `DELETE /api/workshops/${id}/rsvp`);
    await one.ask(host, `POST /api/workshops/${id}/cancel`);
    const again = await two.ask(stranger, rsvp, undefined, keyed(key));
    expect(again).toMatchObject({ status: 200, body: first.body });
    const anew = await two.ask(stranger, rsvp);
    expect(anew).toMatchObject({ status: 409, body: { error: { code: 'invalid_state' } } });
  },
);

it('refuses a key that was used for another command, also where that one is not valid', async () => {
  const id = await nodes[0].workshop();
  const key = keyed('used');
  await nodes[0].ask(host, `PATCH /api/workshops/${id}`, { title: 'Spinning' }, key);
  for (const body of [{ title: 'Weaving' }, { title: 4 }]) {
    const other = await nodes[1].ask(host, `PATCH /api/workshops/${id}`, body, key);
    expect(other).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  }
  const fresh = await nodes[1].ask(host, `PATCH /api/workshops/${id}`, { title: 4 }, keyed('unused'));
  expect(fresh).toMatchObject({ status: 400, body: { error: { code: 'invalid_payload' } } });
});

it.each(['', 'a'.repeat(256), 'ünïcode'])('refuses the key "%.10s"', async (key) => {
  const answer = await nodes[0].ask(host, 'POST /api/workshops', workshop, keyed(key));
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_payload' } } });
  expect(answer.body.error.message).toMatch(/^idempotency-key: /);
});
