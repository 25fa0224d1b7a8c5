/** Deliveries while things go wrong: receivers that are killed, senders that are, several of them, secrets that cannot be read. */
import postgres from 'postgres';
import { beforeEach, expect, it } from 'vitest';
import type { Database } from '../../projections/database/database.ts';
import { openDatabase } from '../../projections/database/open.ts';
import { claimPlaces, scanFeed } from '../../projections/webhooks/places.ts';
import { type Projector, projector } from '../../projections/worker/projector.ts';
import { foldedVersion } from '../../projections/workshops/queries.ts';
import { type DeliveriesOptions, type DeliveryEvent, deliveries } from '../../src/webhooks/deliveries.ts';
import { sealedUnder } from '../../src/webhooks/secret.ts';
import { webhookSender } from '../../src/webhooks/send.ts';
import { webhooks } from '../../src/webhooks/webhooks.ts';
import { closingAfterEach } from '../kit/closing.ts';
import { type Receiver, receiver } from '../kit/receiver.ts';
import { migratedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';
import { arrayLog } from '../projections/arrayLog.ts';
import { story } from '../projections/story.ts';

const secret = 'what all processes of the tests have in common';
const closing = closingAfterEach();
let database: Database;
let log: ReturnType<typeof arrayLog>;
let running: Projector;
let there: Receiver;
let told: DeliveryEvent[];

beforeEach(async () => {
  told = [];
  database = closing(
    await openDatabase({ url: await migratedPostgres() }, { onError: (error) => expect.fail(String(error)) }),
  );
  await database.ready;
  log = arrayLog();
  running = closing(projector({ log, database, node: 'a' }));
  there = closing(await receiver());
});

const noting = () =>
  ({ log: { notes: { put: async () => undefined, all: async () => new Map() } }, database }) as never;
const hooks = (seal = sealedUnder(secret)) =>
  webhooks({ noting: noting(), seal, sender: closing(webhookSender(true)), allowPrivate: true });
/** As old as the stories of the tests. */
async function made(url = there.url) {
  const hook = await hooks().create(plan(url), 'tests');
  await database.query(`update workshop_webhooks set created_at = '2020-01-01'`, []);
  return hook;
}

const plan = (url: string) => ({ url, types: null, workshopIds: null, description: null });

function delivering(more: Partial<DeliveriesOptions> = {}) {
  return closing(
    deliveries({
      ...{ noting: noting(), seal: sealedUnder(secret), sender: closing(webhookSender(true)), owner: 'one' },
      ...{ pauses: { first: 20, most: 100 }, onEvent: (event) => void told.push(event) },
      ...more,
    }),
  );
}

const errors = () => told.filter(({ type }) => type === 'error');

function append(id: number, count = 60): number[] {
  const events = story(id, count).flat();
  log.append(id, events);
  return events.map(({ version }) => version);
}

it('[K11] a receiver that is killed and comes back has everything, in order', {
  timeout: 60_000,
}, async () => {
  const port = Number(new URL(there.url).port);
  await made();
  delivering();
  const versions = append(5);
  await there.has(10);
  await there.close();
  const had = there.versions(5);
  await until(() => told.some(({ type }) => type === 'failed'), { what: 'a failure' });
  const again = closing(await receiver(port));
  await until(() => again.versions(5).at(-1) === versions.at(-1), { what: 'the rest', timeout: 20_000 });
  // What was answered while it was killed may come twice.
  const all = [...had, ...again.versions(5)];
  expect(all.filter((version, index) => all.indexOf(version) === index)).toEqual(versions);
  expect(again.versions(5)[0]).toBeGreaterThanOrEqual(had.at(-1) ?? 0);
  expect(errors()).toEqual([]);
});

it('[K12] several who deliver share it: each event comes once, in order', { timeout: 60_000 }, async () => {
  await made();
  for (const owner of ['one', 'two', 'three']) delivering({ owner });
  const workshops = new Map(Array.from({ length: 30 }, (_, n) => [n + 1, append(n + 1, 40)]));
  const count = [...workshops.values()].flat().length;
  await there.has(count, 40_000);
  for (const [id, versions] of workshops) expect(there.versions(id), `workshop ${id}`).toEqual(versions);
  expect(there.received).toHaveLength(count);
  expect(errors()).toEqual([]);
});

it('[K12] what a sender that died had claimed is delivered by another one, once its lease is over', async () => {
  await made();
  const versions = append(8, 30);
  await until(async () => (await database.query('select from workshop_feed', [])).length > 0, {
    what: 'the tables',
  });
  const claim = { owner: 'dies', leaseMs: 1_500, underWay: new Map(), perWebhook: 8, limit: 8 };
  await until(
    async () => {
      await scanFeed(database);
      return (await claimPlaces(database, claim)).length === 1;
    },
    { what: 'something to claim' },
  );
  const claimed = performance.now();
  delivering({ owner: 'two' });
  await there.has(1);
  expect(performance.now() - claimed).toBeGreaterThan(1_400);
  await until(() => there.versions(8).at(-1) === versions.at(-1), { what: 'all of it' });
  expect(there.versions(8)).toEqual(versions);
});

it('[K13] an event that is not taken for long waits, holds up its own workshop alone, and goes on when it is resumed', {
  timeout: 60_000,
}, async () => {
  const hook = await made();
  there.answers((response, { body }) =>
    response.writeHead(body.data.workshopId === 1 && body.data.version === 3 ? 500 : 204).end(),
  );
  delivering({ givesUpAfterMs: 300 });
  const [stuck, other] = [append(1), append(2)];
  await until(() => there.versions(2).at(-1) === other.at(-1), {
    what: 'the other workshop',
    timeout: 20_000,
  });
  const place = async () => (await hooks().get(hook.id)).troubled[0];
  await until(async () => (await place())?.waits, { what: 'it to wait' });
  expect(await place()).toMatchObject({
    workshopId: 1,
    fromVersion: 3,
    lastError: 'answered 500',
    nextTryAt: null,
  });
  const tries = there.versions(1).length;
  there.answers(204);
  const later = append(9);
  await until(() => there.versions(9).at(-1) === later.at(-1), { what: 'others to go on' });
  expect(there.versions(1)).toHaveLength(tries);
  await hooks().resume(hook.id, 1, null);
  await until(() => there.versions(1).at(-1) === stuck.at(-1), { what: 'the rest', timeout: 20_000 });
  expect((await hooks().get(hook.id)).troubled).toEqual([]);
});

it('[K14] a secret that was sealed under another one is said to be unreadable, and nothing is sent', async () => {
  const hook = await made();
  delivering({ seal: sealedUnder('another one') });
  append(3);
  const place = async () => (await hooks().get(hook.id)).troubled[0];
  await until(async () => (await place())?.lastError, { what: 'the failure' });
  expect((await place())?.lastError).toMatch(
    /^its secret cannot be read: WEBHOOK_SECRET or AUTH_SECRET is another one now/,
  );
  expect(there.received).toEqual([]);
  const [row] = await database.query('select sealed_secret from workshop_webhooks', []);
  expect(String(row?.sealed_secret)).not.toContain(hook.secret.slice(6, 20));
});

it('[K15] what the log has lost is not waited for, and what took its place is delivered', {
  timeout: 60_000,
}, async () => {
  await made();
  delivering();
  const versions = append(4, 20);
  await until(() => there.versions(4).length === versions.length, { what: 'all of it' });
  await running.close();
  const last = versions.at(-1) ?? 0;
  await database.query('delete from workshop_events where workshop_id = 4 and version > $1::bigint', [
    last - 2,
  ]);
  await database.query(
    `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
     values (4, $1::bigint, 'another', 'hand-raised', 1, now(), '1', 'c', '{"userId":1}')`,
    [last - 1],
  );
  await until(() => there.received.at(-1)?.headers['webhook-id'] === 'another', {
    what: 'what took its place',
  });
  expect(there.versions(4)).toEqual([...versions, last - 1]);
});

it('[K7] what is taken out of an event while a slow receiver has those before it is gone from what is sent', {
  timeout: 60_000,
}, async () => {
  await made();
  let answer: (() => void) | undefined;
  there.answers((response) => {
    answer = () => void response.writeHead(204).end();
  });
  const versions = append(6, 20);
  const last = versions.at(-1) ?? 0;
  await until(async () => (await foldedVersion(database, 6)) === last, { what: 'the tables' });
  delivering();
  await there.has(1);
  await database.query(
    `update workshop_events set type = 'chat-message', data = '{"message": null, "deleted": true}'
     where workshop_id = 6 and version > 1`,
    [],
  );
  there.answers(204);
  // As slow as receivers are: the others of its page were read long ago.
  await new Promise((resolve) => setTimeout(resolve, 300));
  answer?.();
  await until(() => there.versions(6).at(-1) === last, { what: 'all of it' });
  const [, ...later] = there.received;
  expect(later.map(({ body }) => body.data.message)).toEqual(later.map(() => null));
});

it('[K16] of one webhook no more is under way than it may have, and slow ones leave room for a quick one', {
  timeout: 90_000,
}, async () => {
  const slow: Receiver[] = [];
  for (let n = 0; n < 20; n++) {
    const each = closing(await receiver());
    each.answers(() => undefined);
    await made(each.url);
    slow.push(each);
  }
  for (let id = 1; id <= 40; id++) append(id, 4);
  for (let id = 1; id <= 40; id++)
    await until(async () => ((await foldedVersion(database, id)) ?? 0) > 0, {
      what: 'the tables',
      timeout: 20_000,
    });
  delivering();
  await until(() => slow.filter(({ received }) => received.length > 0).length > 15, {
    what: 'the slow ones',
  });
  // It comes last: all that it has to be told is due later than what waits for the others.
  await made();
  const versions = append(77, 10);
  const began = performance.now();
  await until(() => there.versions(77).at(-1) === versions.at(-1), {
    what: 'the quick one',
    timeout: 30_000,
  });
  expect(performance.now() - began).toBeLessThan(5_000);
  for (const { received } of slow) expect(received.length).toBeLessThanOrEqual(8);
});

it('[K18] what came in and was not looked through yet is told once', { timeout: 60_000 }, async () => {
  const url = await migratedPostgres();
  const other = closing(await openDatabase({ url }, { onError: (error) => expect.fail(String(error)) }));
  await other.ready;
  const its = { log: { notes: { put: async () => undefined } }, database: other } as never;
  const sender = closing(webhookSender(true));
  const seal = sealedUnder(secret);
  await webhooks({ noting: its, seal, sender, allowPrivate: true }).create(plan(there.url), 'tests');
  const write = (version: number) =>
    other.query(
      `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
       values (3, $1::bigint, 'e-' || $1::bigint, 'hand-raised', 1, now(), '1', 'c', '{"userId":1}')`,
      [version],
    );
  await write(1);
  await scanFeed(other);
  const looking = postgres(url, { max: 1 });
  closing({ close: () => looking.end() });
  // Somebody else looks through the feed just now, and takes long.
  await looking.unsafe('begin');
  await looking.unsafe('select from workshop_webhook_scans for update');
  for (const version of [2, 3]) await write(version);
  delivering({ noting: its, seal, sender });
  await until(
    async () => (await other.query('select delivered from workshop_webhook_places', []))[0]?.delivered !== 0,
    {
      what: 'the first one to be noted',
    },
  );
  await until(
    async () => (await other.query('select owner from workshop_webhook_places', []))[0]?.owner === null,
    {
      what: 'it to be let go',
    },
  );
  await looking.unsafe('commit');
  await until(() => there.versions(3).includes(3), { what: 'the third one' });
  await until(
    async () => {
      const [row] = await other.query(
        'select delivered = target and owner is null as done, target from workshop_webhook_places',
        [],
      );
      return row?.done === true && row.target === 3;
    },
    { what: 'all of it to be noted' },
  );
  expect(there.versions(3)).toEqual([1, 2, 3]);
});
