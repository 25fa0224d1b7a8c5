/** A thousand people who come within a second, on a server in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type NodeProcess, startNode } from '../kit/nodeProcess.ts';
import { startProcess } from '../kit/process.ts';
import { type RawClient, rawClient, received } from '../kit/rawClient.ts';
import { clusterSettings, type Json, liveWorkshop, restAt, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const people = Array.from({ length: 1_000 }, (_, n) => 100 + n);

let server: NodeProcess;
let url: string;
const clients: RawClient[] = [];

beforeAll(async () => {
  server = await startNode({ ...(await clusterSettings()), RATE_LIMIT_SCALE: '1' });
  url = server.url;
}, 60_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await server.stop({ within: 10_000 });
});

/** Asks whether the node is up and says how many milliseconds that took; by itself, since a thousand clients are busy too. */
const probing = `(async () => {
  for (;;) {
    const asked = performance.now();
    await (await fetch(process.argv[1] + '/healthz')).text();
    console.log(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
})()`;

/** Joins as a client does that is asked to come back later. */
async function enter(id: number, workshopId: number): Promise<void> {
  const client = await rawClient(url, { auth: { token: await token({ id }) }, keeps: id === 100 });
  clients.push(client);
  // Every other one gets single messages, of which there are half a million.
  const payload = { workshopId, batch: id % 2 === 0 };
  for (;;) {
    const reply: Json = await client.ask('workshop:join', payload);
    if (reply.ok) return;
    expect(reply.error.retryable).toBe(true);
    await sleep(reply.error.retryAfterMs ?? 500);
  }
}

it('[M21] a thousand who come within a second are all in within thirty, and the node answers meanwhile', {
  timeout: 90_000,
}, async () => {
  const workshopId = await liveWorkshop({ rest: restAt(url) }, people);
  const probe = await startProcess({ command: process.execPath, args: ['-e', probing, url] });
  await probe.waitFor(/\d/);

  const began = performance.now();
  await Promise.all(
    people.map(async (id, n) => {
      await sleep(n);
      await enter(id, workshopId);
    }),
  );
  const took = performance.now() - began;
  const [first] = clients.filter(({ heard }) => heard.length > 0) as [RawClient];
  const { version } = (await restAt(url)(1, 'GET', `/api/workshops/${workshopId}`)).body;
  const known = () =>
    received(first, 'workshop:events').at(-1)?.to ?? received(first, 'workshop:state')[0]?.version;
  await until(() => known() === version, { what: 'the others to be seen', timeout: 20_000 });
  await probe.stop();

  const health = probe.stdout().split('\n').filter(Boolean).map(Number);
  health.sort((a, b) => a - b);
  const median = health[Math.floor(health.length / 2)] ?? 0;
  console.info(
    `in after ${Math.round(took)} ms; /healthz ${median.toFixed(1)} ms, at worst ${health.at(-1)?.toFixed(0)} ms`,
  );
  expect(took).toBeLessThan(30_000);
  expect(median).toBeLessThan(200);
  const { attendeeCount } = (await restAt(url)(1, 'GET', `/api/workshops/${workshopId}`)).body;
  expect(attendeeCount).toBe(people.length);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/workshop_slow_consumers_total 0/);
});
