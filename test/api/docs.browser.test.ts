/** `/docs` in a real browser, under the policy that it is served with. */
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RestServer, restServer } from './restServer.ts';

let browser: Browser;
let server: RestServer;

beforeAll(async () => {
  const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const executablePath = process.env.CHROMIUM_PATH ?? places.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error('no Chromium found: install it, or set CHROMIUM_PATH');
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  server = await restServer({ projecting: false });
  await server.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

it('shows every operation, opens one and tries it out, without a complaint of the browser', async () => {
  const { port } = server.app.server.address() as AddressInfo;
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${port}/docs`);
  await page.getByText('/api/workshops/{id}/events').waitFor();
  const operations = Object.values(server.app.swagger().paths ?? {}).flatMap((methods) =>
    Object.keys(methods ?? {}),
  );
  expect(await page.locator('.opblock').count()).toBe(operations.length);
  await page.locator('#operations-Operations-get-health .opblock-summary-control').click();
  await page.getByRole('button', { name: 'Try it out' }).click();
  await page.getByRole('button', { name: 'Execute' }).click();
  await page.locator('.live-responses-table').getByText('"status": "up"').first().waitFor();
  expect(complaints).toEqual([]);
}, 60_000);
