/** The page in a real browser, as the server serves it: people meet in a workshop, lose their connection and come back. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { clusterSettings, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
let server: TestServer;
let people: BrowserContext[] = [];
/** Whatever a page complained of: refused by its policy, thrown, logged as an error. */
const complaints: string[] = [];

beforeAll(async () => {
  const settings = {
    ...(await clusterSettings()),
    GUESTS: 'true',
    RATE_LIMIT_SCALE: '0',
    PRESENCE_GRACE_MS: '15000',
  };
  [browser, server] = await Promise.all([launchChromium(), testServer(settings)]);
  // Lists come from the database, which a server does not wait for when it starts.
  const lists = async () => (await server.rest(1, 'GET', '/api/workshops')).status === 200;
  await until(lists, { what: 'the database to be there', timeout: 20_000 });
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

afterEach(async () => {
  await Promise.all(people.map((person) => person.close()));
  people = [];
  expect(complaints.splice(0)).toEqual([]);
});

async function arrive(
  name: string,
  address = '/',
  viewport = { width: 1100, height: 800 },
  from = browser,
): Promise<Page> {
  const person = await from.newContext({ viewport });
  people.push(person);
  const page = await person.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // The browser itself logs a connection that a test cuts, and every answer that is a refusal.
    if (message.type() === 'error' && !/WebSocket|ERR_|status of (4|503)/.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(new URL(address, server.url).href);
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

/** Comes by the link of the room in which the host is. */
async function guestOf(ada: Page, name = 'Bo'): Promise<Page> {
  const bo = await arrive(name, new URL(ada.url()).pathname);
  await bo.getByText(`${name} (you)`).waitFor();
  return bo;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}

/** What the chat shows, from top to bottom. */
const chat = (page: Page) => page.getByRole('log').locator('.said').allTextContents();

it('lets a host schedule a workshop, open its lobby and start it with whoever came by the list', async () => {
  const ada = await arrive('Ada Host');
  await ada.getByLabel('Title').fill('Spinning');
  await ada.getByLabel('Start right away').uncheck();
  await ada.getByLabel('Starts at').fill('2030-01-01T12:00');
  await ada.getByRole('button', { name: 'Schedule' }).click();
  await ada.getByText('Ada Host (you)').waitFor();

  const bo = await arrive('Bo');
  await bo.getByRole('button', { name: 'Enter Spinning' }).click();
  await bo.getByText('Bo (you)').waitFor();
  expect(await bo.getByRole('button', { name: 'Raise hand' }).isDisabled()).toBe(true);
  expect(await bo.getByRole('button', { name: 'Start' }).count()).toBe(0);
  await ada.getByRole('button', { name: 'Open lobby' }).click();
  await bo.getByText('Lobby open').waitFor();
  await ada.getByRole('button', { name: 'Start' }).click();
  await bo.getByText('Live', { exact: true }).waitFor();
  await bo.getByRole('button', { name: 'Raise hand' }).click();
  await ada.getByRole('button', { name: 'Let Bo speak' }).waitFor();
});

it('[UI11] lets a host change what is planned before the eyes of who is there, and cancel it', async () => {
  const ada = await arrive('Ada Host');
  await ada.getByLabel('Title').fill('Carding');
  await ada.getByLabel('Start right away').uncheck();
  await ada.getByLabel('Starts at').fill('2030-01-01T12:00');
  await ada.getByText('More settings').click();
  await ada.getByLabel('What it is about').fill('Wool and combs.');
  await ada.getByLabel('Seats').fill('12');
  await ada.getByRole('button', { name: 'Schedule' }).click();
  await ada.locator('.description').getByText('Wool and combs.').waitFor();
  const bo = await guestOf(ada);
  expect(await bo.getByRole('button', { name: /Edit|Cancel/ }).count()).toBe(0);

  await ada.getByRole('button', { name: 'Edit' }).click();
  const form = ada.getByRole('dialog', { name: 'Change what is planned' });
  expect(await form.getByLabel('Starts at').inputValue()).toBe('2030-01-01T12:00');
  await form.getByLabel('Title').fill('Combing');
  await form.getByLabel('Starts at').fill('2031-02-03T14:30');
  await form.getByLabel('What it is about').fill('Combs, and wool.');
  await form.getByLabel('Seats').fill('');
  await form.getByRole('button', { name: 'Save' }).click();
  await ada.getByText('Saved.').waitFor();
  for (const page of [ada, bo]) {
    await page.getByRole('heading', { name: 'Combing' }).waitFor();
    await page.locator('.description').getByText('Combs, and wool.').waitFor();
    await page.locator('.before time').filter({ hasText: '2031' }).waitFor();
  }
  const id = new URL(ada.url()).pathname.split('/').at(-1);
  expect((await server.rest(1, 'GET', `/api/workshops/${id}`)).body).toMatchObject({
    ...{ title: 'Combing', capacity: null },
    scheduledAt: new Date('2031-02-03T14:30').toISOString(),
  });
  // A time that the field cannot show in full is kept where nobody changes it.
  const exact = '2031-02-03T14:30:45.678Z';
  await ada.evaluate(
    ([id, scheduledAt]) =>
      fetch(`/api/workshops/${id}`, {
        ...{ method: 'PATCH', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ scheduledAt, capacity: 7 }),
      }),
    [id, exact],
  );
  await ada.getByRole('button', { name: 'Edit' }).click();
  await until(async () => (await form.getByLabel('Seats').inputValue()) === '7', { what: 'the change' });
  expect(await form.getByLabel('Title').inputValue()).toBe('Combing');
  await form.getByLabel('Title').fill('Felting');
  await form.getByRole('button', { name: 'Save' }).click();
  await bo.getByRole('heading', { name: 'Felting' }).waitFor();
  expect((await server.rest(1, 'GET', `/api/workshops/${id}`)).body).toMatchObject({
    ...{ title: 'Felting', capacity: 7, scheduledAt: exact, description: 'Combs, and wool.' },
  });

  await ada.getByRole('button', { name: 'Cancel workshop' }).click();
  await ada.getByRole('button', { name: 'Keep it' }).click();
  await ada.getByRole('button', { name: 'Cancel workshop' }).click();
  await ada.getByRole('button', { name: 'Cancel it for everyone' }).click();
  for (const page of [ada, bo]) await page.getByText('This workshop was cancelled.').waitFor();
});

it('[UI11] lets a guest say that they come, and that they do not after all', async () => {
  const ada = await arrive('Ada Host');
  await ada.getByLabel('Title').fill('Dyeing');
  await ada.getByLabel('Start right away').uncheck();
  await ada.getByLabel('Starts at').fill('2030-01-01T12:00');
  await ada.getByRole('button', { name: 'Schedule' }).click();
  await ada.getByText('Ada Host (you)').waitFor();
  const id = new URL(ada.url()).pathname.split('/').at(-1);
  const comings = async () => {
    const { body } = await server.rest({ id: 1, roles: ['analyst'] }, 'GET', `/api/workshops/${id}/events`);
    return body.items.map(({ type }: { type: string }) => type).filter((type: string) => /rsvp/.test(type));
  };
  const bo = await arrive('Bo');
  await bo.getByRole('button', { name: 'I will come to Dyeing' }).click();
  await bo.getByText('You are on the list.').waitFor();
  await bo.getByRole('button', { name: 'I can’t come to Dyeing after all' }).click();
  await bo.getByRole('button', { name: 'I will come to Dyeing' }).waitFor();
  expect((await comings()).slice(-2)).toEqual(['user-rsvped', 'rsvp-withdrawn']);
});

it('[UI12] goes on as it was left when one comes back by the back button, with what happened meanwhile', async () => {
  const keeping = await launchChromium({ keepsPages: true });
  try {
    const ada = await host();
    const bo = await arrive('Bo', new URL(ada.url()).pathname, undefined, keeping);
    await bo.getByText('Bo (you)').waitFor();
    await bo.evaluate(() => {
      addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted }));
    });
    await bo.goto(`${server.url}/healthz`);
    await say(ada, 'while you were away');
    // Nothing is loaded then, which `goBack` would wait for.
    await bo.evaluate(() => history.back());
    await bo.getByRole('log').getByText('while you were away').waitFor();
    expect(await bo.evaluate(() => (globalThis as { persisted?: boolean }).persisted)).toBe(true);
    await say(bo, 'and back');
    await ada.getByRole('log').getByText('and back').waitFor();
    const { body } = await server.rest(
      { id: 1, roles: ['analyst'] },
      'GET',
      `/api/workshops/${new URL(ada.url()).pathname.split('/').at(-1)}/events?type=user-left`,
    );
    expect(body.items).toEqual([]);
  } finally {
    await keeping.close();
  }
});

it('lets a guest come by a link, ask to speak, be let speak and talk', async () => {
  const ada = await host();
  expect(new URL(ada.url()).pathname).toMatch(/^\/w\/\d+$/);
  const bo = await guestOf(ada);
  await bo.getByRole('button', { name: 'Raise hand' }).click();
  await bo.getByText('You are 1st in the queue').waitFor();

  await ada.getByRole('button', { name: 'Let Bo speak' }).click();
  await bo.getByText('Speaker').waitFor();
  await ada.getByText('Nobody is waiting to speak.').waitFor();

  await say(bo, '<b>hello</b>');
  await ada.getByRole('log').getByText('<b>hello</b>').waitFor();
  await ada.getByRole('status').getByText('Bo: <b>hello</b>').waitFor({ state: 'attached' });
  await ada.getByRole('button', { name: 'Delete the message of Bo' }).click();
  await bo.getByText('This message was deleted.').waitFor();
});

it('lets a host make a co-host, mute, remove and readmit, and end the workshop for everyone', async () => {
  const ada = await host();
  const bo = await guestOf(ada);
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

it('comes back after a reload, as the same person, with hand and chat as they were', async () => {
  const ada = await host();
  const bo = await guestOf(ada);
  await say(bo, 'before');
  await bo.getByRole('button', { name: 'Raise hand' }).click();
  await bo.getByText('You are 1st in the queue').waitFor();
  await bo.reload();
  await bo.getByText('Bo (you)').waitFor();
  await bo.getByText('You are 1st in the queue').waitFor();
  expect(await chat(bo)).toEqual(['before']);
  expect(await ada.getByRole('heading', { name: 'In the room 2' }).count()).toBe(1);
});

it('says when the connection is away, keeps what is written, and loses nothing of the chat', async () => {
  const ada = await host();
  const bo = await guestOf(ada);
  await say(bo, 'one');
  await ada.getByRole('log').getByText('one').waitFor();
  await people[0]?.setOffline(true);
  await ada.getByRole('status').getByText('Connection lost.').waitFor();
  await say(ada, 'from the tunnel');
  await ada.getByText('Sending…').waitFor();
  for (const text of ['two', 'three']) await say(bo, text);
  await expect.poll(() => chat(bo)).toEqual(['one', 'two', 'three']);
  await people[0]?.setOffline(false);
  await ada.getByText('Back online.').waitFor();
  await ada.getByText('Sending…').waitFor({ state: 'detached' });
  const everything = ['one', 'two', 'three', 'from the tunnel'];
  await expect.poll(() => chat(ada)).toEqual(everything);
  await expect.poll(() => chat(bo)).toEqual(everything);
});

it('says that the list is away, and shows it as soon as the server can tell it', async () => {
  await host('Plaiting');
  const bo = await arrive('Bo');
  await bo.getByText('Coming up').waitFor();
  let isAway = true;
  const json = { error: { code: 'unavailable', message: 'the database is away' } };
  await bo.route('**/api/workshops', (route) =>
    isAway ? route.fulfill({ status: 503, json }) : route.continue(),
  );
  await bo.reload();
  await bo.getByText('The list can’t be reached right now.').waitFor();
  isAway = false;
  await bo.getByRole('button', { name: 'Enter Plaiting' }).waitFor();
  expect(await bo.getByText('The list can’t be reached right now.').count()).toBe(0);
});

it('leaves the room by its button, and asks for the name again when the sign-in is gone', async () => {
  const ada = await host('Felting');
  const bo = await guestOf(ada);
  await ada.getByRole('button', { name: 'Leave' }).click();
  await ada.getByText('Coming up').waitFor();
  await bo.getByText('Ada Host').waitFor({ state: 'detached' });
  await people[0]?.clearCookies();
  await ada.getByRole('button', { name: 'Enter Felting' }).click();
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
