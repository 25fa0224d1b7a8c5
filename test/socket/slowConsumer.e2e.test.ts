/** Members of a room who stop reading while the others talk, on a server in a process of its own. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type NodeProcess, startNode } from '../kit/nodeProcess.ts';
import { type RawClient, rawClient, received } from '../kit/rawClient.ts';
import { clusterSettings, type Json, liveWorkshop, restAt, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const messages = 1_900;
/** 4,000 bytes: the kernels between server and client take about a thousand of them. */
const text = '🧶'.repeat(1_000);

let server: NodeProcess;
let url: string;
const clients: RawClient[] = [];

beforeAll(async () => {
  server = await startNode({
    ...(await clusterSettings()),
    ...{ RATE_LIMIT_SCALE: '0', PRESENCE_GRACE_MS: '60000' },
  });
  url = server.url;
}, 60_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await server.stop({ within: 10_000 });
});

async function enter(id: number, workshopId: number, after?: object) {
  const client = await rawClient(url, { auth: { token: await token({ id }) } });
  clients.push(client);
  const reply = await client.ask('workshop:join', { workshopId, batch: true, ...(after && { after }) });
  expect(reply).toMatchObject({ ok: true });
  return { id, client, reply };
}

/** The versions of the events that it got, in order. */
const versions = (client: RawClient): number[] =>
  received(client, 'workshop:events').flatMap(({ events }) => events.map(({ version }: Json) => version));

const megabytes = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024;

const slowConsumers = async (): Promise<number> =>
  Number(/workshop_slow_consumers_total (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);

it('[M20] who does not read is closed, the others miss nothing, and who comes back has everything', {
  timeout: 90_000,
}, async () => {
  const users = Array.from({ length: 12 }, (_, n) => 10 + n);
  const workshopId = await liveWorkshop({ rest: restAt(url) }, users);
  const members = await Promise.all(users.map((user) => enter(user, workshopId)));
  for (const { client } of members)
    await until(() => received(client, 'workshop:state')[0], { what: 'the state', timeout: 20_000 });
  const joined = Math.max(...members.map(({ reply }) => reply.version));
  const reaches = (client: RawClient, version: number) =>
    until(() => (versions(client).at(-1) ?? received(client, 'workshop:state')[0]?.version) >= version, {
      ...{ what: `version ${version}`, timeout: 30_000 },
    });
  for (const { client } of members) await reaches(client, joined);

  const slow = members.slice(0, 4);
  const others = members.slice(4);
  for (const { client } of slow) client.pause();
  const before = megabytes();
  for (let sent = 0; sent < messages; sent += 100)
    await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const { client } = others[n % others.length] as (typeof others)[number];
        expect(await client.ask('workshop:chat', { workshopId, message: text })).toMatchObject({ ok: true });
      }),
    );
  await until(async () => (await slowConsumers()) === 4, { what: 'four to be closed', timeout: 20_000 });
  const last = joined + messages;
  for (const { client } of others) {
    await reaches(client, last);
    const { version } = received(client, 'workshop:state')[0];
    const expected = Array.from({ length: last - version }, (_, n) => version + 1 + n);
    expect(versions(client)).toEqual(expected);
    expect(received(client, 'workshop:error')).toEqual([]);
  }
  expect(megabytes() - before).toBeLessThan(150);

  for (const { id, client, reply } of slow) {
    const had = versions(client).at(-1) ?? reply.version;
    client.close();
    const back = await enter(id, workshopId, { version: had, epoch: reply.epoch });
    // Their place was kept: nobody left.
    expect(back.reply).toMatchObject({ resumed: true, changed: false });
    await reaches(back.client, last);
    expect(versions(back.client)).toEqual(Array.from({ length: last - had }, (_, n) => had + 1 + n));
  }
});
