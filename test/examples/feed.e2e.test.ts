/** `examples/feed-to-sqlite.py`, run as its first lines say. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../kit/folder.ts';
import { startProcess } from '../kit/process.ts';
import { required } from '../kit/programs.js';
import { clusterSettings, liveWorkshop, type TestServer, testServer, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const example = join(import.meta.dirname, '../../examples/feed-to-sqlite.py');
const folder = temporaryFolder('warehouse');
let server: TestServer;
beforeAll(async () => {
  server = await testServer(await clusterSettings());
}, 90_000);
afterAll(async () => {
  await server.close();
  await folder.close();
});

async function load(): Promise<string> {
  const running = await startProcess({
    ...{ command: required('python3'), args: [example, join(folder.path, 'workshops.db')] },
    env: { WORKSHOPS_URL: server.url, WORKSHOPS_TOKEN: await token({ id: 9, roles: ['analyst'] }) },
  });
  const { code } = await running.ended;
  expect(code, running.output()).toBe(0);
  return running.stdout();
}

it('[N8] loads the feed into SQLite, says who came in each week, and goes on where it was', {
  timeout: 60_000,
}, async () => {
  const workshopId = await liveWorkshop(server, [2, 3]);
  for (const id of [1, 2]) await (await server.connect(id)).say('join', { workshopId });
  const weeks = (people: number) => new RegExp(`^week +people +workshops\n\\d{4}-W\\d\\d +${people} +1\n$`);
  await until(async () => weeks(2).test(await load()), { what: 'the tables to follow', timeout: 20_000 });
  expect(await load()).toMatch(weeks(2));
  await (await server.connect(3)).say('join', { workshopId });
  await until(async () => weeks(3).test(await load()), { what: 'the third one', timeout: 20_000 });
});
