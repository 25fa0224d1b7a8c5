/** A gateway and a projector as processes of their own, on one Redis and one Postgres. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import { clusterSettings, liveWorkshop, secret, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

let settings: Record<string, string>;
let gateway: TestServer;
let running: RunningProcess[];

beforeAll(async () => {
  running = [];
  settings = await clusterSettings();
  gateway = await testServer({ ...settings, ROLE: 'gateway' });
});
afterAll(async () => {
  for (const process of running) await process.stop();
  await gateway.close();
});

async function project(): Promise<{ process: RunningProcess; url: string }> {
  const process = await startProcess({
    command: globalThis.process.execPath,
    args: [program, 'project', '--json'],
    env: { ...settings, PORT: '0', AUTH_SECRET: secret, LOG_LEVEL: 'warn' },
  });
  running.push(process);
  const [line] = await process.waitFor(/\{"url".*\}/, 20_000);
  return { process, url: JSON.parse(line).url };
}

const isListed = async (workshopId: number) => {
  const { body } = await gateway.rest(1, 'GET', '/api/workshops');
  return body.items.some(({ id }: { id: number }) => id === workshopId);
};

describe('workshop project', () => {
  it('folds what gateways append, serves operators alone, and is succeeded when it is killed', {
    timeout: 90_000,
  }, async () => {
    const first = await liveWorkshop(gateway, [2]);
    expect((await gateway.rest(2, 'GET', `/api/workshops/${first}/attendees?minVersion=3`)).status).toBe(503);
    const { process, url } = await project();
    await until(() => isListed(first), { what: 'the workshop to be projected', timeout: 20_000 });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('workshop_projected_events_total');
    expect((await fetch(`${url}/api/workshops`)).status).toBe(404);
    process.signal('SIGKILL');
    await process.ended;
    const second = await liveWorkshop(gateway, [2]);
    await project();
    await until(() => isListed(second), { what: 'another projector to take over', timeout: 20_000 });
  });
});
