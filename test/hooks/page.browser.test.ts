/** The page in a real browser: two people meet in a workshop, under a strict content security policy. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { pageServer } from './pageServer.ts';

let browser: Browser;
let server: Awaited<ReturnType<typeof pageServer>>;
let people: BrowserContext[] = [];
/** Whatever a page complained of: refused by the policy, thrown, logged as an error. */
const complaints: string[] = [];

beforeAll(async () => {
  const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const executablePath = process.env.CHROMIUM_PATH ?? places.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error('no Chromium found: install it, or set CHROMIUM_PATH');
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

afterAll(() => browser.close());

beforeEach(async () => {
  server = await pageServer();
});

afterEach(async () => {
  await Promise.all(people.map((person) => person.close()));
  people = [];
  await server.close();
  expect(complaints.splice(0)).toEqual([]);
});

async function arrive(name: string, address = '/', viewport = { width: 1100, height: 800 }): Promise<Page> {
  const person = await browser.newContext({ viewport });
  people.push(person);
  const page = await person.newPage();
  page.setDefaultTimeout(5_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // A connection that a test cuts is logged by the browser itself.
    if (message.type() === 'error' && !/WebSocket|ERR_|401/.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(server.url + address);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: /Continue|Enter the workshop/ }).click();
  return page;
}

async function host(title = 'Weaving'): Promise<Page> {
  const page = await arrive('Ada Host');
  await page.getByLabel('Title').fill(title);
  await page.getByRole('button', { name: 'Start now' }).click();
  await page.getByText('Ada Host (you)').waitFor();
  return page;
}

it('lets a host start a workshop and a guest come by its link, ask to speak, be let speak and talk', async () => {
  const ada = await host();
  expect(new URL(ada.url()).search).toBe('?workshop=1');
  const bo = await arrive('Bo', '/?workshop=1');
  await bo.getByRole('button', { name: 'Raise hand' }).click();
  await bo.getByText('You are 1st in the queue').waitFor();

  await ada.getByRole('button', { name: 'Let Bo speak' }).click();
  await bo.getByText('Speaker').waitFor();
  await ada.getByText('Nobody is waiting to speak.').waitFor();

  await bo.getByLabel('Message', { exact: true }).fill('<b>hello</b>');
  await bo.getByRole('button', { name: 'Send', exact: true }).click();
  await ada.getByRole('log').getByText('<b>hello</b>').waitFor();
  await ada.getByRole('status').getByText('Bo: <b>hello</b>').waitFor({ state: 'attached' });
  await ada.getByRole('button', { name: 'Delete the message of Bo' }).click();
  await bo.getByText('This message was deleted.').waitFor();
});

it('lets a host make a co-host, mute, remove and readmit, and end the workshop for everyone', async () => {
  const ada = await host();
  const bo = await arrive('Bo', '/?workshop=1');
  const choose = async (label: string, reason = '') => {
    await ada.getByRole('button', { name: 'Actions for Bo' }).click();
    await ada.getByRole('dialog').getByLabel('Reason').fill(reason);
    await ada.getByRole('dialog').getByRole('button', { name: label }).click();
  };
  await choose('Make co-host');
  await bo.getByText('Co-host', { exact: true }).waitFor();
  await choose('Ask to mute');
  await bo.getByText('A host asks you to mute your microphone.').waitFor();
  await choose('Remove from the workshop', 'too loud');
  await bo.getByText('You were removed from this workshop. The reason given: too loud').waitFor();
  await ada.getByRole('button', { name: 'Undo' }).click();
  await ada.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' });
  await bo.getByRole('button', { name: 'Try again' }).click();
  await bo.getByText('Bo (you)').waitFor();

  await ada.getByRole('button', { name: 'End workshop' }).click();
  await ada.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await bo.getByText('Bo (you)').waitFor();
  await ada.getByRole('button', { name: 'End workshop' }).click();
  await ada.getByRole('button', { name: 'End for everyone' }).click();
  await bo.getByText('This workshop is over.').waitFor();
});

it('says when the connection is away, keeps what is written, and sends it when it is back', async () => {
  const ada = await host();
  server.mishap('join', 'unavailable', 'unavailable');
  server.cut(101);
  await ada.getByRole('status').getByText('Connection lost.').waitFor();
  await ada.getByLabel('Message', { exact: true }).fill('still here');
  await ada.getByRole('button', { name: 'Send', exact: true }).click();
  await ada.getByText('Sending…').waitFor();
  await ada.getByText('Back online.').waitFor();
  await ada.getByText('Sending…').waitFor({ state: 'detached' });
  expect(server.workshops.get(1)?.room.chat.map(({ message }) => message)).toEqual(['still here']);
});

it('leaves the room by its button, and asks for the name again when the sign-in is gone', async () => {
  const ada = await host();
  await ada.getByRole('button', { name: 'Leave' }).click();
  await ada.getByText('Coming up').waitFor();
  await expect.poll(() => server.workshops.get(1)?.room.present.size).toBe(0);
  await people[0]?.clearCookies();
  await ada.getByRole('button', { name: 'Enter Weaving' }).click();
  await ada.getByText('Your sign-in has run out.').waitFor();
});

it('fits a phone of 360 pixels, in the list and in the room', async () => {
  await host(
    'A very long title about weaving, knotting, braiding and other ways with yarn-and-thread-and-rope',
  );
  const bo = await arrive('Bo', '/', { width: 360, height: 700 });
  const overflow = () =>
    bo.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await bo.getByText('Coming up').waitFor();
  expect(await overflow()).toBe(0);
  await bo.getByRole('button', { name: /^Enter A very long/ }).click();
  await bo.getByText('Bo (you)').waitFor();
  expect(await overflow()).toBe(0);
});
