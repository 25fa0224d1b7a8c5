/** The timeline as an analyst uses it, in a real browser: its numbers against those of the REST interface, and what one finds in it. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { sayLength } from '../../web/words/words.ts';
import { addToRedis, pastEvents } from '../kit/pastWorkshop.ts';
import { clusterSettings, type Json, type TestServer, testServer, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { launchChromium } from './chromium.ts';
import { look } from './look.ts';

vi.setConfig({ testTimeout: 90_000 });

const host = 101;
const title = 'Bookbinding';
const analyst = { id: 7, name: 'Ana', roles: ['analyst'] };
const startedAt = Date.now() - 3 * 3_600_000;
let browser: Browser;
let server: TestServer;
let events: RecordedEvent[];
let workshopId: number;

beforeAll(async () => {
  const settings = await clusterSettings();
  events = pastEvents({ startedAt, attendees: 60, minutes: 45, seed: 11, title, firstUser: host });
  [browser, server] = await Promise.all([
    launchChromium(),
    testServer({ ...settings, GUESTS: 'true', RATE_LIMIT_SCALE: '0' }),
  ]);
  workshopId = await addToRedis(String(settings.REDIS_URL), events);
}, 90_000);
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function opened(
  path: string,
  who: Parameters<typeof token>[0] = analyst,
  settings: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    ...settings,
  });
  await context.addCookies([{ name: 'workshop_token', value: await token(who), url: server.url }]);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => expect.fail(`the page threw: ${error.stack}`));
  await page.goto(server.url + path);
  return page;
}

const told = async (path: string): Promise<Json> =>
  (await server.rest(analyst, 'GET', `/api/workshops/${workshopId}/${path}`)).body;

const textOf = async (place: Locator) => (await place.textContent()) ?? '';
const shownAt = (page: Page, text: string) => page.locator('.at').and(page.getByText(text, { exact: true }));

it('[TL1] answers who was there at minute 12, who waited longest and what was said then', async () => {
  const page = await opened(`/w/${workshopId}/timeline?t=12m`);
  await shownAt(page, '12:00 of 45:00').waitFor();
  const state = await told(`state?offsetMs=${12 * 60_000}`);
  const room = page.getByRole('region', { name: /^In the room then/ });
  await room.getByText(String(state.attendeeCount), { exact: true }).waitFor();
  for (const { displayName } of state.attendees.filter((each: Json) => each.canSpeak))
    await room.locator('.stage').getByText(displayName, { exact: true }).waitFor();
  const said = page.getByRole('region', { name: 'Chat' }).getByRole('listitem');
  expect(await said.count()).toBe(state.chat.length);
  expect(await textOf(said.last())).toContain(state.chat.at(-1).message);

  const { hands, people } = await told('engagement');
  const waits = page.getByRole('region', { name: 'Who waited longest' }).first().locator('tbody tr');
  expect(await waits.count()).toBe(hands.length);
  expect(await textOf(waits.first())).toContain(hands[0].displayName);
  // To the moment at which that hand went up.
  await waits.first().getByRole('button').click();
  await room.locator('.queue').getByText(hands[0].displayName).waitFor();
  const rows = page.getByRole('region', { name: 'Who took part' }).first().locator('tbody tr');
  const longest = Math.max(...people.map((each: Json) => each.minutesPresent));
  expect(await textOf(rows.first())).toContain(String(Math.round(10 * longest) / 10));
  await page.getByRole('button', { name: 'Sort by Messages' }).click();
  const most = people.reduce((one: Json, other: Json) => (other.messages > one.messages ? other : one));
  expect(await textOf(rows.first())).toContain(most.displayName);
});

it('[TL2] has the numbers of the REST interface, in figures and beside the curves', async () => {
  const page = await opened(`/w/${workshopId}/timeline`);
  await page.getByText('The curves as numbers').click();
  const rows = page.getByRole('region', { name: 'The curves as numbers' }).first().locator('tbody tr');
  await rows.first().waitFor();
  const { series, totals } = await told('timeline?bucketMs=5000');
  expect(await rows.count()).toBe(series.length);
  for (const index of [0, 100, series.length - 1]) {
    const { present, speakers, chat, handsUp } = series[index];
    const cells = await rows.nth(index).locator('td').allInnerTexts();
    expect(cells.slice(1).map(Number)).toEqual([present, speakers, chat, handsUp]);
  }
  const figures = await page.locator('.figures dd').allTextContents();
  const { uniqueAttendees, peakPresent, messages, handsRaised } = totals;
  expect(figures).toEqual(
    expect.arrayContaining([uniqueAttendees, peakPresent, messages, handsRaised].map(String)),
  );
  // Drawn, and with something on it.
  const drawn = await page.locator('.plot canvas').evaluateAll((canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const { data } =
        (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height) ?? {};
      return data?.some((byte) => byte > 0);
    }),
  );
  expect(drawn).toEqual([true, true, true]);
});

it('[TL3] goes where one presses: slider, curves, keys, a line of the chat, a mark; and the address follows', async () => {
  const page = await opened(`/w/${workshopId}/timeline?t=20m&speed=4`);
  await shownAt(page, '20:00 of 45:00').waitFor();
  expect(await page.getByLabel('Speed').inputValue()).toBe('4');
  const slider = page.getByRole('slider', { name: 'Moment' });
  expect(await slider.getAttribute('aria-valuetext')).toBe('20:00 of 45:00');
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await shownAt(page, '20:01 of 45:00').waitFor();
  await page.keyboard.press('l');
  await shownAt(page, '20:11 of 45:00').waitFor();
  await page.keyboard.press('j');
  await shownAt(page, '20:01 of 45:00').waitFor();
  await page.keyboard.press('<');
  expect(await page.getByLabel('Speed').inputValue()).toBe('2');
  await until(() => page.url().endsWith('/timeline?t=20m1s&speed=2'), {
    what: `the address, not ${page.url()}`,
  });

  const area = page.locator('.playhead-area');
  const box = await area.boundingBox();
  if (box === null) throw new Error('there are no curves');
  await page.mouse.click(box.x + box.width / 3, box.y + 20);
  await until(async () => /^15:0\d of/.test(await textOf(page.locator('.at'))), {
    what: 'a third of it',
  });

  // The last event up to then is shown; one back is the one before it.
  const back = events.filter(({ at }) => at <= startedAt + 15 * 60_000 + 999).at(-2);
  await page.keyboard.press(',');
  await shownAt(page, `${sayLength((back?.at ?? 0) - startedAt)} of 45:00`).waitFor();

  const line = page.getByRole('region', { name: 'Chat' }).getByRole('listitem').last();
  const at = await textOf(line.getByRole('button'));
  await line.getByRole('button').click();
  await shownAt(page, `${at} of 45:00`).waitFor();
  await page
    .getByRole('list', { name: 'Moments' })
    .getByText('Ended')
    .locator('..')
    .getByRole('button')
    .click();
  await page.getByText('Nobody is there.').waitFor();
  await page.goBack();
  expect(page.url()).not.toContain('/timeline');
});

it('[TL4] plays, as fast as one wishes, leaps over idle time, and stops at the end', async () => {
  const page = await opened(`/w/${workshopId}/timeline?t=44m40s`);
  await shownAt(page, '44:40 of 45:00').waitFor();
  await page.getByLabel('Speed').selectOption('16');
  await page.locator('body').press('Space');
  await shownAt(page, '45:00 of 45:00').waitFor();
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  await page.getByText('Nobody is there.').waitFor();
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await until(async () => /^0:\d\d of/.test(await textOf(page.locator('.at'))), { what: 'the beginning' });
  await page.getByRole('button', { name: 'Pause', exact: true }).click();

  // Where nothing happens for long it would take long at the usual speed.
  const before = events.findIndex(
    ({ at }, index) => at > startedAt && (events[index + 1]?.at ?? 0) - at > 20_000,
  );
  const [from, to] = [events[before]?.at ?? 0, events[before + 1]?.at ?? 0].map((at) => at - startedAt) as [
    number,
    number,
  ];
  const idle = await opened(`/w/${workshopId}/timeline?t=${Math.ceil(from / 1_000) + 1}s`);
  await idle.getByLabel('Leap over idle time').check();
  await idle.getByRole('button', { name: 'Play', exact: true }).click();
  const reached = async () => {
    const [minutes = 0, seconds = 0] = (await textOf(idle.locator('.at'))).split(/[: ]/).map(Number);
    return (60 * minutes + seconds + 1) * 1_000;
  };
  await until(async () => (await reached()) > to, { what: `the leap from ${from} to ${to}`, timeout: 8_000 });
});

it('[TL5] finds by person, kind and text, and a link that says what is looked for finds it', async () => {
  const page = await opened(`/w/${workshopId}/timeline`);
  const messages = events.filter(({ type }) => type === 'chat-message');
  const wrote = messages.at(5)?.data as { userId: number; displayName: string };
  const theirs = messages.filter(({ data }) => (data as { userId: number }).userId === wrote.userId);
  await page.getByLabel('Person', { exact: true }).fill(wrote.displayName);
  await page.getByLabel('What happened').selectOption('chat-message');
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  const count = theirs.length === 1 ? '1 moment found.' : `${theirs.length} moments found.`;
  await page.getByText(count).waitFor();
  const link = new URL(page.url());
  expect(Object.fromEntries(link.searchParams)).toMatchObject({
    ...{ person: wrote.displayName, kind: 'chat-message' },
  });
  const again = await opened(link.pathname + link.search);
  await again.getByText(count).waitFor();
  const first = again.getByRole('list', { name: 'Find a moment' }).getByRole('listitem').first();
  const at = await textOf(first.getByRole('button'));
  await first.getByRole('button').click();
  if (!at.startsWith('−')) await shownAt(again, `${at} of 45:00`).waitFor();
  await page.getByLabel('Person', { exact: true }).fill('Nobody At All');
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  await page.getByText('Nobody called “Nobody At All” was there.').waitFor();
});

it('[TL6] is for host, co-hosts and analysts, says so to others, and is a way on from a workshop that is over', async () => {
  const other = await opened(`/w/${workshopId}/timeline`, { id: 9_001, name: 'Otto' });
  await other.getByRole('alert').getByText('The timeline is for the host').waitFor();
  const page = await opened(`/w/${workshopId}`, { id: host, name: 'Theo' });
  await page.getByRole('button', { name: 'Play it again' }).click();
  await shownAt(page, '0:00 of 45:00').waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Play it again' }).waitFor();
});

it('[TL7] follows a workshop that goes on', async () => {
  const plan = { title: 'Still going', scheduledAt: new Date(Date.now() + 3_600_000).toISOString() };
  const { id } = (await server.rest({ id: 1, name: 'Ida' }, 'POST', '/api/workshops', plan)).body;
  const page = await opened(`/w/${id}/timeline`);
  await page.getByText('This workshop has not gone live yet.').waitFor();
  await server.rest({ id: 1, name: 'Ida' }, 'POST', `/api/workshops/${id}/start`);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  const guest = await server.connect({ id: 1, name: 'Ida' });
  await guest.say('join', { workshopId: id });
  await guest.say('chat', { workshopId: id, message: 'just now' });
  await page.getByLabel('Speed').selectOption('16');
  await page.getByRole('region', { name: 'Chat' }).getByText('just now').waitFor();
});

it('[TL8] axe finds nothing on it, in either theme, and nothing scrolls sideways from 320 pixels on', async () => {
  const page = await opened(`/w/${workshopId}/timeline?t=31m10s&text=the`, analyst, { bypassCSP: true });
  await shownAt(page, '31:10 of 45:00').waitFor();
  await page.getByRole('heading', { name: 'Who waited longest' }).waitFor();
  await page.getByText('The curves as numbers').click();
  await page.getByText(/moments found/).waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await look(page, 'timeline');
  const german = await opened(`/w/${workshopId}/timeline?t=31m10s`, analyst, { locale: 'de-DE' });
  await german.getByRole('heading', { name: 'Wer am längsten wartete' }).waitFor();
  await german.getByText('31:10 von 45:00').waitFor();
});
