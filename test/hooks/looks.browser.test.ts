/** Every page as it looks: accessible by axe, in both themes, at three widths, light enough to load, and in German. */
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundlePage } from '../../web/bundle.ts';
import { receiver } from '../kit/receiver.ts';
import { type Guest, type TestServer, testServer, token } from '../kit/server.ts';
import { launchChromium } from './chromium.ts';
import { look } from './look.ts';

let browser: Browser;
let server: TestServer;
const guests: Guest[] = [];

beforeAll(async () => {
  [browser, server] = await Promise.all([
    launchChromium(),
    testServer({
      ...{ GUESTS: 'true', RATE_LIMIT_SCALE: '0', PRESENCE_GRACE_MS: '15000' },
      WEBHOOK_ALLOW_PRIVATE: 'true',
    }),
  ]);
}, 90_000);
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function signedIn(
  id: number,
  name: string,
  settings: Parameters<Browser['newContext']>[0] = {},
  roles?: string[],
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ ...settings, bypassCSP: true });
  const value = await token({ id, name, ...(roles && { roles }) });
  await context.addCookies([{ name: 'workshop_token', value, url: server.url }]);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  return { context, page };
}

it('[UI1] axe finds nothing on any page, in either theme, and none scrolls sideways from 320 pixels on', {
  timeout: 240_000,
}, async () => {
  const stranger = await (await browser.newContext({ bypassCSP: true })).newPage();
  await stranger.goto(server.url);
  await stranger.getByLabel('Your name').waitFor();
  await look(stranger, 'sign-in');

  const { page } = await signedIn(1, 'Ada Lindgren', {}, ['admin']);
  const plan = { title: 'Sourdough from scratch', description: 'Flour, water, salt.', durationMinutes: 90 };
  const later = { ...plan, scheduledAt: new Date(Date.now() + 2 * 86_400_000).toISOString() };
  const { body: scheduled } = await server.rest(
    { id: 1, name: 'Ada Lindgren' },
    'POST',
    '/api/workshops',
    later,
  );
  const { body: live } = await server.rest(1, 'POST', '/api/workshops', { ...later, title: 'Spinning wool' });
  const people = ['Noor Haddad', 'Tomás Vidal', 'Mei Lin', 'Jonas Berg', 'Amara Okafor', 'Priya Nair'];
  await server.rest(1, 'POST', `/api/workshops/${live.id}/start`);
  for (const [index, name] of people.entries()) {
    const who = { id: index + 2, name };
    await server.rest(who, 'POST', `/api/workshops/${live.id}/rsvp`);
    const guest = await server.connect(who);
    guests.push(guest);
    await guest.say('join', { workshopId: live.id });
    await guest.say('chat', {
      workshopId: live.id,
      message: `Hello from ${name}: https://example.org/${index}`,
    });
    if (index > 2) await guest.say('raise-hand', { workshopId: live.id });
  }
  await page.goto(server.url);
  await page.getByText('Spinning wool').waitFor();
  await look(page, 'home');

  await page.goto(`${server.url}/?workshop=${scheduled.id}`);
  await page.getByRole('timer').waitFor();
  // As links were written before.
  expect(new URL(page.url()).pathname).toBe(`/w/${scheduled.id}`);
  await look(page, 'before');

  await page.goto(`${server.url}/w/${live.id}`);
  await page.getByRole('log').getByText('Hello from Priya Nair').waitFor();
  await page.getByRole('button', { name: 'Let Jonas Berg speak' }).click();
  await page.getByText('Jonas Berg was given the floor.').waitFor();
  expect(await page.getByRole('log').getByRole('link').count()).toBe(people.length);
  await look(page, 'room');

  await server.rest(1, 'POST', `/api/workshops/${live.id}/end`);
  await page.getByText('This workshop is over.').waitFor();
  await page.getByText('7 people came').waitFor();
  await look(page, 'after');
  await page.reload();
  await page.getByText('Hello from Mei Lin').waitFor();
});

it('[UI9] the operators’ page shows nodes and what to do, and is for admins alone', {
  timeout: 90_000,
}, async () => {
  const { page } = await signedIn(1, 'Ada', {}, ['admin']);
  await page.goto(server.url);
  await page.getByRole('button', { name: 'Operation' }).click();
  await page.getByRole('heading', { name: 'Operation' }).waitFor();
  // An address of its own, which the back button leaves and a reload keeps.
  expect(new URL(page.url()).pathname).toBe('/admin');
  await page.goBack();
  await page.getByRole('heading', { name: 'Host a workshop' }).waitFor();
  await page.goto(`${server.url}/admin`);
  await page.getByRole('heading', { name: 'Nodes' }).waitFor();
  await page.getByText('No workshop waits for an operator.').waitFor();
  const { body } = await server.rest({ id: 1, roles: ['admin'] }, 'GET', '/api/admin/status');
  await page.getByRole('cell', { name: body.nodes[0].node }).waitFor();
  expect(body.nodes[0].version).toMatch(/^\d+\.\d+\.\d+/);
  await page.route('**/api/admin/status', (route) =>
    route.fulfill({
      json: {
        ...body,
        projections: {
          ...body.projections,
          parked: [
            {
              ...{ workshopId: 77, projection: 'workshops', version: 5, reason: 'a fold that broke' },
              ...{ attempts: 3, parkedAt: new Date().toISOString() },
            },
          ],
        },
      },
    }),
  );
  await page.getByText('1 workshop is parked').waitFor();
  await look(page, 'admin');
  await page.getByRole('button', { name: 'Retry workshop 77' }).click();
  await page.getByText('There is no such workshop').waitFor();

  const { page: other } = await signedIn(2, 'Noor');
  await other.goto(server.url);
  await other.getByText('Coming up').waitFor();
  expect(await other.getByRole('button', { name: 'Operation' }).count()).toBe(0);
});

it('[UI13] the operators’ page shows what webhooks could not deliver, goes on with it, tries them and turns them off', {
  timeout: 60_000,
}, async () => {
  const hooked = await receiver();
  hooked.answers(500);
  const admin = { id: 1, name: 'Ada', roles: ['admin'] };
  try {
    const { body: hook } = await server.rest(admin, 'POST', '/api/admin/webhooks', { url: hooked.url });
    const plan = { title: 'Told elsewhere', scheduledAt: new Date().toISOString() };
    const { body: workshop } = await server.rest(admin, 'POST', '/api/workshops', plan);
    const { page } = await signedIn(1, 'Ada', {}, ['admin']);
    await page.goto(`${server.url}/admin`);
    const undelivered = page.getByRole('region', { name: 'Not delivered' }).first();
    await undelivered.getByText(`${workshop.id} · 1`).waitFor();
    await undelivered.getByText('500').waitFor();
    await look(page, 'webhooks');

    hooked.answers(204);
    await page.getByRole('button', { name: `Resume the deliveries of workshop ${workshop.id}` }).click();
    await page.getByText(`Deliveries of workshop ${workshop.id} go on.`).waitFor();
    await undelivered.waitFor({ state: 'detached' });
    expect(hooked.versions(workshop.id).at(-1)).toBe(1);
    await page.getByRole('button', { name: `Send a test to ${hooked.url}` }).click();
    await page.getByText('The test was taken.').waitFor();
    expect(hooked.received.at(-1)?.body.type).toBe('webhook.test');
    await page.getByRole('button', { name: `Turn off deliveries to ${hooked.url}` }).click();
    await page.getByText('Off: what happens waits').waitFor();
    const { body: off } = await server.rest(admin, 'GET', `/api/admin/webhooks/${hook.id}`);
    expect(off.active).toBe(false);
    await server.rest(admin, 'DELETE', `/api/admin/webhooks/${hook.id}`);
    await page.getByText('Nothing is delivered to other servers.').waitFor();
  } finally {
    await hooked.close();
  }
});

it('[UI8] speaks German to whose browser asks for it, and keeps the choice of another language', {
  timeout: 60_000,
}, async () => {
  const { page } = await signedIn(3, 'Mei', { locale: 'de-DE' });
  await page.goto(server.url);
  await page.getByText('Demnächst').waitFor();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
  await page.getByLabel('Sprache').selectOption('en');
  await page.getByText('Coming up').waitFor();
  await page.getByLabel('Colours').selectOption('dark');
  await page.reload();
  await page.getByText('Coming up').waitFor();
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
});

it('[UI3] shows whoever is alone a lively workshop, one at a time', { timeout: 60_000 }, async () => {
  const { page } = await signedIn(4, 'Jonas');
  await page.goto(server.url);
  await page.getByRole('button', { name: 'See a lively one' }).click();
  await page.getByText('Jonas (you)').waitFor();
  const [one, other] = await Promise.all([
    server.rest(4, 'POST', '/api/lively'),
    server.rest(5, 'POST', '/api/lively'),
  ]);
  expect(one).toEqual(other);
  expect(page.url()).toContain(String(one.body.workshopId));
});

it('[UI4] the script of the first load is under 150 kB compressed', { timeout: 60_000 }, async () => {
  const { html, files } = await bundlePage();
  const named = [...files].filter(([address]) => html.includes(address) && address.endsWith('.js'));
  const size = named.reduce((sum, [, { body }]) => sum + gzipSync(body).length, 0);
  expect(size).toBeGreaterThan(10_000);
  expect(size).toBeLessThan(150_000);

  // Nothing else is fetched for it: neither the operators' page nor the timeline with its chart.
  const { page } = await signedIn(3, 'Mei');
  const fetched = new Set<string>();
  page.on('response', (answer) => fetched.add(new URL(answer.url()).pathname));
  await page.goto(server.url);
  await page.getByText('Coming up').waitFor();
  const scripts = [...fetched].filter((path) => path.endsWith('.js'));
  expect(scripts.sort()).toEqual(named.map(([address]) => address).sort());
});
