/** A whole workshop: a host and three attendees in browsers of their own, over two nodes of which one is killed in the middle. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Balancer, balancer } from '../kit/balancer.ts';
import { type Node, startNode } from '../kit/node.ts';
import { clusterSettings, restAt } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
let nodes: Node[];
let front: Balancer;

beforeAll(async () => {
  const env = {
    ...(await clusterSettings()),
    GUESTS: 'true',
    PRESENCE_GRACE_MS: '15000',
    PRESENCE_LEASE_MS: '15000',
  };
  [browser, front, ...nodes] = await Promise.all([
    launchChromium(),
    balancer(100),
    startNode({ env }),
    startNode({ env }),
  ]);
  await front.use(...nodes.map(({ url }) => url));
}, 120_000);
afterAll(async () => {
  await browser.close();
  await front.close();
  await Promise.all(nodes.map((node) => node.close()));
});

async function arrive(name: string, address: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(address);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: /Continue|Enter the workshop/ }).click();
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}

const said = (page: Page) => page.getByRole('log').locator('.line .said').allTextContents();

it('[UI6] a workshop goes on when a node is killed, and what was being sent over a reload is said once', {
  timeout: 240_000,
}, async () => {
  const host = await arrive('Ada', front.url);
  await host.getByLabel('Title').fill('Weaving');
  await host.getByRole('button', { name: 'Start now' }).click();
  await host.getByText('Ada (you)').waitFor();
  const address = host.url();
  const [bo, cy, di] = (await Promise.all(['Bo', 'Cy', 'Di'].map((name) => arrive(name, address)))) as [
    Page,
    Page,
    Page,
  ];
  for (const page of [host, bo, cy, di]) await page.getByRole('heading', { name: 'In the room 4' }).waitFor();

  await bo.getByRole('button', { name: 'Raise hand' }).click();
  await host.getByRole('status').getByText('Bo raised a hand.').waitFor({ state: 'attached' });
  await expect.poll(() => host.title()).toBe('✋ 1 Weaving · Workshop rooms');
  await cy.getByRole('button', { name: 'Raise hand' }).click();
  await cy.getByText('You are 2nd in the queue').waitFor();
  await host.getByRole('button', { name: 'Next: Bo' }).click();
  await cy.getByText('You are 1st in the queue').waitFor();
  await bo.getByText('You have the floor.').waitFor();
  await say(bo, 'one');
  for (const page of [host, bo, cy, di]) await expect.poll(() => said(page)).toEqual(['one']);

  // Di writes while offline, and reloads before it could go out; a second draft is only begun.
  await di.context().setOffline(true);
  await di.getByText('This device has no network').waitFor();
  await say(di, 'kept');
  await di.getByText('Sending…').waitFor();
  await di.getByLabel('Message', { exact: true }).fill('a draft');
  await di.context().setOffline(false);
  await di.reload();
  await nodes[0]?.kill();
  await say(cy, 'two');
  const everything = ['kept', 'one', 'two'];
  for (const page of [host, bo, cy, di])
    await expect.poll(async () => (await said(page)).sort(), { timeout: 40_000 }).toEqual(everything);
  expect(await di.getByLabel('Message', { exact: true }).inputValue()).toBe('a draft');
  for (const page of [host, bo, cy, di]) await page.getByRole('heading', { name: 'In the room 4' }).waitFor();
  await cy.getByText('You are 1st in the queue').waitFor();

  // Two tabs of one person are one attendee.
  const tab = await di.context().newPage();
  await tab.goto(address);
  await tab.getByText('Di (you)').waitFor();
  await host.getByRole('heading', { name: 'In the room 4' }).waitFor();
  await tab.close();

  await host.getByRole('button', { name: 'End workshop' }).click();
  await host.getByRole('dialog').getByText('End it for all 4 present?').waitFor();
  await host.getByRole('button', { name: 'End for everyone' }).click();
  for (const page of [host, bo, cy, di]) await page.getByText('This workshop is over.').waitFor();
  await bo.getByText('4 people came').waitFor({ timeout: 40_000 });
  expect(await bo.getByRole('link', { name: 'Attendance' }).count()).toBe(0);
  const [file] = await Promise.all([
    host.waitForEvent('download'),
    host.getByRole('link', { name: 'Attendance' }).click(),
  ]);
  expect(
    readFileSync(await file.path(), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(1 + 4);
});

it('[UI7] scrolling up in the chat brings what was said before, to its first message', {
  timeout: 120_000,
}, async () => {
  const rest = restAt(nodes[1]?.url ?? '');
  const host = await arrive('Ada', nodes[1]?.url ?? '');
  await host.getByLabel('Title').fill('Talking');
  await host.getByRole('button', { name: 'Start now' }).click();
  await host.getByText('Ada (you)').waitFor();
  const id = Number(/\d+$/.exec(host.url())?.[0]);
  for (let n = 1; n <= 120; n++) {
    await host.getByLabel('Message', { exact: true }).fill(`line ${n}`);
    await host.getByLabel('Message', { exact: true }).press('Enter');
  }
  await expect.poll(async () => (await said(host)).at(-1), { timeout: 20_000 }).toBe('line 120');
  const stored = async () =>
    (await rest({ id: 9, roles: ['admin'] }, 'GET', `/api/workshops/${id}/chat?limit=500`)).body.items
      ?.length === 120;
  await until(stored, { what: 'the tables to hold the chat', timeout: 20_000 });
  await host.reload();
  await expect.poll(async () => (await said(host)).length).toBeGreaterThanOrEqual(50);
  expect(await said(host)).not.toContain('line 1');
  await host.getByRole('log').evaluate((log) => log.scrollTo(0, 0));
  await expect
    .poll(() => said(host), { timeout: 20_000 })
    .toEqual(Array.from({ length: 120 }, (_, index) => `line ${index + 1}`));
});
