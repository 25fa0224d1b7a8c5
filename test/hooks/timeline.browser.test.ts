/** The timeline as an analyst uses it, in a real browser: its numbers against those of the REST interface, and what one finds in it. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { addToRedis, pastEvents } from '../kit/pastWorkshop.ts';
import { clusterSettings, type Json, type TestServer, testServer, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { launchChromium } from './chromium.ts';

vi.setConfig({ testTimeout: 90_000 });

const workshopId = 1;
const host = 101;
const title = 'Bookbinding';
const analyst = { id: 7, name: 'Ana', roles: ['analyst'] };
const startedAt = Date.now() - 3 * 3_600_000;
let browser: Browser;
let server: TestServer;
let events: RecordedEvent[];

beforeAll(async () => {
  const settings = await clusterSettings();
  events = pastEvents({
    ...{ workshopId, startedAt, attendees: 60, minutes: 45, seed: 11, title, firstUser: host },
  });
  [browser, server] = await Promise.all([
    launchChromium(),
    testServer({ ...settings, GUESTS: 'true', RATE_LIMIT_SCALE: '0' }),
  ]);
  await addToRedis(String(settings.REDIS_URL), workshopId, events);
}, 90_000);
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function opened(path: string, who: Parameters<typeof token>[0] = analyst): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' });
  await context.addCookies([{ name: 'workshop_token', value: await token(who), url: server.url }]);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => expect.fail(`the page threw: ${error.stack}`));
  await page.goto(server.url + path);
  return page;
}

const told = async (path: string): Promise<Json> =>
  (await server.rest(analyst, 'GET', `/api/workshops/${workshopId}/${path}`)).body;

it('looks', async () => {
  const page = await opened(`/w/${workshopId}/timeline?t=12m`);
  await page.getByRole('heading', { name: 'Who waited longest' }).waitFor();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: '/tmp/timeline.png', fullPage: true });
});
