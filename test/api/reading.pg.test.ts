/** Reading the whole of large workshops, many at once: others are answered meanwhile, and nobody takes it all for themselves. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { User } from '../../src/domain/define.ts';
import { until } from '../kit/until.ts';
import { people, type RestServer, restServer, tokenOf } from './restServer.ts';

let server: RestServer;
let id: number;
let reads = 0;
const count = 10_000;
const { host, analyst } = people;
const analysts = Array.from({ length: 10 }, (_, index): User => ({ ...analyst, userId: 100 + index }));

beforeAll(async () => {
  server = await restServer({
    projecting: false,
    seen: (log) => ({
      ...log,
      events: {
        ...log.events,
        read(...asked) {
          reads++;
          return log.events.read(...asked);
        },
      },
    }),
  });
  id = await server.workshop({ live: true });
  const data = JSON.stringify({
    userId: 1,
    displayName: 'Hanna Host',
    avatarUrl: null,
    message: '🧶'.repeat(250),
  });
  for (let done = 0; done < count; done += 500) {
    const head = await server.log.events.head(id);
    await server.log.events.append({
      ...{ workshopId: id, base: head?.version ?? 0, deadline: server.log.now() + 20_000, node: 'talk' },
      commands: Array.from({ length: 500 }, () => ({
        ...{ by: 1, commandId: v7(), fingerprint: '', remember: false, reads: [] },
        events: [{ eventId: v7(), type: 'chat-message', schema: 1, data, marks: [] }],
      })),
    });
  }
  await server.app.listen({ port: 0, host: '127.0.0.1' });
}, 60_000);
afterAll(() => server.close());

const address = (path: string) => {
  const { port } = server.app.server.address() as AddressInfo;
  return `http://127.0.0.1:${port}${path}`;
};

/** Asks for the whole as lines; what has come back, and a way to go away. */
async function reading(who: User) {
  const headers = { authorization: `Bearer ${await tokenOf(who)}`, accept: 'application/x-ndjson' };
  const request = get(address(`/api/workshops/${id}/events`), { headers, agent: false });
  let response: IncomingMessage | undefined;
  request.on('response', (got) => {
    response = got;
    got.on('error', () => undefined);
  });
  request.on('error', () => undefined);
  return { status: () => response?.statusCode, response: () => response, stop: () => request.destroy() };
}

it('[S23] ten readers of the whole leave room for everyone else, and each gets all of it', {
  timeout: 60_000,
}, async () => {
  let health = 0;
  let over = false;
  const asking = (async () => {
    while (!over) {
      expect((await fetch(address('/healthz'))).status).toBe(200);
      health++;
    }
  })();
  const lines = await Promise.all(
    analysts.map(async (who) => {
      const headers = { authorization: `Bearer ${await tokenOf(who)}`, accept: 'application/x-ndjson' };
      const answer = await fetch(address(`/api/workshops/${id}/events`), { headers });
      return (await answer.text()).split('\n').length - 1;
    }),
  );
  over = true;
  await asking;
  expect(new Set(lines)).toEqual(new Set([(await server.log.events.head(id))?.version]));
  // A hundred thousand lines: were they made without a break, nobody else would be answered.
  expect(health).toBeGreaterThan(40);
});

it('[S23] one user reads two at once, the others of theirs wait, and more than wait are refused', {
  timeout: 30_000,
}, async () => {
  const mine = await Promise.all(Array.from({ length: 32 }, () => reading(host)));
  const begun = () => mine.filter((each) => each.status() === 200);
  await until(() => begun().length === 2, { what: 'two to begin' });
  const extra = await reading(host);
  await until(() => extra.status() === 429, { what: 'one too many to be refused' });
  const other = await reading(analyst);
  await until(() => other.status() === 200, { what: 'someone else to begin' });
  expect(begun()).toHaveLength(2);
  // Who goes away while waiting is passed over; who goes away while reading makes room.
  for (const each of mine.filter((each) => each.status() === undefined).slice(0, 20)) each.stop();
  begun()[0]?.stop();
  await until(() => begun().length === 3, { what: 'the next one to begin' });
  for (const each of [...mine, other, extra]) each.stop();
  const last = await reading(host);
  await until(() => last.status() === 200, { what: 'a place to be free again' });
  last.response()?.resume();
  if (last.response()?.complete !== true) await once(last.response() as IncomingMessage, 'end');
  // Nothing is read for who is gone.
  const before = reads;
  expect((await fetch(address('/healthz'))).status).toBe(200);
  expect(reads).toBe(before);
});

it('[S23] where the limits are off everyone waits for their turn, and nobody is sent away', {
  timeout: 30_000,
}, async () => {
  const config = { corsOrigins: [], production: false, unlimited: true };
  const unlimited = await restServer({ projecting: false, parts: { config } });
  try {
    const small = await unlimited.workshop({ live: true });
    const path = `GET /api/workshops/${small}/export?what=events`;
    const answers = await Promise.all(Array.from({ length: 60 }, () => unlimited.ask(host, path)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  } finally {
    await unlimited.close();
  }
});
