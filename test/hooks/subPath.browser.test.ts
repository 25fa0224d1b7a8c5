/** The page in a real browser, under a path of somebody else's site, and in a browser that keeps no notes. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Connection, followerOf, workshopConnection } from '../../src/client/workshopClient.ts';
import { type ReverseProxy, reverseProxy } from '../kit/reverseProxy.ts';
import { clusterSettings, type TestServer, testServer, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
let proxy: ReverseProxy;
let server: TestServer;

beforeAll(async () => {
  proxy = await reverseProxy('/our/rooms');
  const settings = { ...(await clusterSettings()), GUESTS: 'true', RATE_LIMIT_SCALE: '0' };
  [browser, server] = await Promise.all([
    launchChromium(),
    testServer({ ...settings, PUBLIC_URL: `${proxy.url}/` }),
  ]);
  const lists = async () => (await server.rest(1, 'GET', '/api/workshops')).status === 200;
  await until(lists, { what: 'the database to be there', timeout: 20_000 });
});
afterAll(async () => {
  await browser.close();
  await server.close();
  await proxy.close();
});
beforeEach(() => {
  proxy.elsewhere.splice(0);
});

/** Signs in at the address, starts a workshop and says something in it. Answers with what the page complained of. */
async function visit(address: string, prepare?: (page: Page) => Promise<void>): Promise<string[]> {
  const complaints: string[] = [];
  const page = await browser.newPage();
  await prepare?.(page);
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  await page.getByLabel('Your name').fill('Ada Host');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Title').fill('Weaving');
  await page.getByRole('button', { name: 'Start now' }).click();
  await page.getByText('Ada Host (you)').waitFor();
  await page.getByLabel('Message', { exact: true }).fill('hello');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByRole('log').locator('.said', { hasText: 'hello' }).waitFor();
  expect(page.url()).toMatch(/\/our\/rooms\/w\/\d+$/);
  await page.close();
  return complaints;
}

it.each(['taken off', 'left'] as const)(
  'serves a page under a path that a proxy has %s',
  {
    timeout: 60_000,
  },
  async (path) => {
    proxy.pointTo(server.url, path);
    for (const address of [proxy.url, `${proxy.url}/`]) expect(await visit(address)).toEqual([]);
    const docs = await fetch(`${proxy.url}/docs/static/swagger-initializer.js`);
    expect(docs.status).toBe(200);
    expect(proxy.elsewhere).toEqual([]);
  },
);

it.each(['taken off', 'left'] as const)(
  'serves our client under a path that a proxy has %s',
  async (path) => {
    proxy.pointTo(server.url, path);
    const scheduled = await fetch(`${proxy.url}/api/workshops`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token({ id: 7 })}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Under a path', scheduledAt: new Date().toISOString() }),
    });
    const location = scheduled.headers.get('location') ?? '';
    expect(location).toMatch(/^\/our\/rooms\/api\/workshops\/\d+$/);
    for (const url of [proxy.url, `${proxy.url}/`]) {
      const connection: Connection = workshopConnection({ url, token: await token({ id: 7 }) });
      connection.open();
      const follower = followerOf(connection.socket, Number(location.split('/').at(-1)));
      expect(await follower.join()).toMatchObject({ ok: true });
      await connection.close();
    }
    expect(proxy.elsewhere).toEqual([]);
  },
);

it('lets people in whose browser keeps no notes', async () => {
  proxy.pointTo(server.url, 'taken off');
  const refuseNotes = async (page: Page) => {
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, 'localStorage', {
        get() {
          throw new DOMException('The operation is insecure.', 'SecurityError');
        },
      });
    });
  };
  expect(await visit(proxy.url, refuseNotes)).toEqual([]);
});
