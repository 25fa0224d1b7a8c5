/**
 * The pages in Chromium: how long a leap on the timeline of 100,000 events takes, how many frames it and a busy room are drawn in – beside
 * an empty page in the same browser –, and what the first load costs on a processor four times as slow.
 */
import type { Browser, Page } from 'playwright-core';
import { io } from 'socket.io-client';
import { openDatabase } from '../projections/database/open.ts';
import { storedEvents } from '../projections/events/queries.ts';
import { roomSnapshots } from '../projections/snapshots/snapshots.ts';
import { writeSnapshots } from '../projections/snapshots/write.ts';
import type { RecordedEvent } from '../src/domain/evolve.ts';
import { workshopHistory } from '../src/history/history.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { launchChromium } from '../test/hooks/chromium.ts';
import { addToRedis } from '../test/kit/pastWorkshop.ts';
import { startPostgres } from '../test/kit/postgres.ts';
import { startRedis } from '../test/kit/redis.ts';
import { workshop as eventsOf } from './fold.ts';
import { collecting, type Figure, quantile } from './measure.ts';
import { secret, start, token, workshop } from './served.ts';

const length = 100_000;
const leaps = 30;
const watchedMs = 8_000;
const perSecond = 50;

export async function pages(rounds: number): Promise<Figure[]> {
  const redis = await startRedis();
  const postgres = await startPostgres();
  const database = await postgres.createDatabase();
  const served = await start([workshop, 'serve', '--json'], {
    ...{ PORT: '0', AUTH_SECRET: secret, LOG_LEVEL: 'warn' },
    ...{ REDIS_URL: redis.url, DATABASE_URL: database, RATE_LIMIT_SCALE: '0' },
    // Who is in the room need not be connected.
    ...{ PRESENCE_LEASE_MS: '600000', PRESENCE_GRACE_MS: '600000' },
  });
  const browser = await launchChromium();
  const { add, all } = collecting();
  try {
    const over = await addToRedis(redis.url, ended(eventsOf(length - 1)));
    await snapshotsOf(over, redis.url, database);
    const live = await addToRedis(redis.url, untilNow(eventsOf(4_100)));
    for (let round = 0; round < rounds; round++) {
      const page = await opened(browser, served.url);
      await page.goto('about:blank');
      const empty = await frames(page);
      add('frames of an empty page', '/s', empty.perSecond);

      await page.goto(`${served.url}/w/${over}/timeline`);
      await page.locator('.plot canvas').first().waitFor();
      const times = await leapTimes(page);
      add(`a leap in ${length.toLocaleString('en')} events, p50`, 'ms', quantile(times, 0.5));
      add(`a leap in ${length.toLocaleString('en')} events, p95`, 'ms', quantile(times, 0.95));
      await page.getByLabel('Speed').selectOption('16');
      await page.getByRole('button', { name: 'Play', exact: true }).click();
      const played = await frames(page);
      add('frames of a timeline at 16×', '/s', played.perSecond, 'frames of an empty page');
      add('the longest frame of it', 'ms', played.longestMs);

      await page.goto(`${served.url}/w/${live}`);
      await page.locator('.audience').waitFor();
      const stop = await talking(served.url, live);
      const shown = await frames(page);
      stop();
      add(
        `frames of a room of 2,000 with ${perSecond} messages/s`,
        '/s',
        shown.perSecond,
        'frames of an empty page',
      );
      add('the longest frame of the room', 'ms', shown.longestMs);

      const { paintMs, blockedMs } = await firstLoad(
        await opened(browser, served.url),
        `${served.url}/w/${live}`,
      );
      add('first paint of the room, processor 4× slower', 'ms', paintMs);
      add('blocked meanwhile', 'ms', blockedMs);
      await Promise.all(browser.contexts().map((context) => context.close()));
    }
  } finally {
    await browser.close();
    await served.process.stop();
    await postgres.close();
    await redis.close();
  }
  return all();
}

/** As a projector writes them a while after a workshop's events. */
async function snapshotsOf(workshopId: number, redisUrl: string, url: string): Promise<void> {
  const log = await redisLog({ address: { url: redisUrl }, onError: console.error });
  const database = openDatabase({ url }, { onError: console.error });
  const histories = workshopHistory(log.events, storedEvents(database));
  await writeSnapshots(workshopId, { histories, snapshots: roomSnapshots(database) });
  await database.close();
  await log.close();
}

async function opened(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
  await context.addCookies([{ name: 'workshop_token', value: await token(1), url }]);
  // What runs in the page comes through a loader that names functions by a helper of its own.
  await context.addInitScript('globalThis.__name = (named) => named');
  return context.newPage();
}

function ended(events: RecordedEvent[]): RecordedEvent[] {
  const last = events.at(-1) as RecordedEvent;
  const end = {
    ...last,
    version: last.version + 1,
    at: last.at + 10,
    eventId: `${last.eventId.slice(0, -1)}e`,
  };
  return [...events, { ...end, type: 'state-changed', data: { status: 'ended' } }];
}

/** The same, but its last event is of now. */
function untilNow(events: RecordedEvent[]): RecordedEvent[] {
  const later = Date.now() - (events.at(-1)?.at ?? 0);
  return events.map((event) => ({ ...event, at: event.at + later }));
}

/** How often the page is drawn while it is watched, and how long it stood still at most. */
function frames(page: Page): Promise<{ perSecond: number; longestMs: number }> {
  return page.evaluate(
    (ms) =>
      new Promise((resolve) => {
        const began = performance.now();
        let [last, count, longestMs] = [began, 0, 0];
        const drawn = () => {
          const now = performance.now();
          longestMs = Math.max(longestMs, now - last);
          last = now;
          count++;
          if (now - began < ms) requestAnimationFrame(drawn);
          else resolve({ perSecond: count / ((now - began) / 1_000), longestMs });
        };
        requestAnimationFrame(drawn);
      }),
    watchedMs,
  );
}

/** From moving the slider to somewhere by chance until the room of that moment is drawn, in milliseconds. */
function leapTimes(page: Page): Promise<number[]> {
  return page.evaluate(async (count) => {
    const slider = document.querySelector<HTMLInputElement>('.scrubber input');
    const said = document.querySelector('.transport + p');
    if (slider === null || said === null) throw new Error('there is no slider');
    // As React hears of a change: through the setter that it has not replaced.
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const times: number[] = [];
    for (let n = 0; n < count; n++) {
      const began = performance.now();
      set?.call(slider, String(Math.floor(Math.random() * Number(slider.max))));
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      do await frame();
      while (said.textContent?.startsWith('Fetching') === true);
      await frame();
      times.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return times;
  }, leaps);
}

/** Someone who writes at that pace, until it is stopped. */
async function talking(url: string, workshopId: number): Promise<() => void> {
  const socket = io(`${url}/workshop`, { auth: { token: await token(2) }, transports: ['websocket'] });
  await socket.emitWithAck('workshop:join', { workshopId, batch: true, roster: false });
  let n = 0;
  const timer = setInterval(() => {
    socket.emit('workshop:chat', {
      workshopId,
      message: `Message number ${n++}, as long as such messages are.`,
    });
  }, 1_000 / perSecond);
  return () => {
    clearInterval(timer);
    socket.close();
  };
}

async function firstLoad(page: Page, address: string): Promise<{ paintMs: number; blockedMs: number }> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.addInitScript(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { tasks });
    new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map(({ duration }) => duration)),
    ).observe({
      type: 'longtask',
    });
  });
  await page.goto(address);
  await page.locator('.audience').waitFor();
  return page.evaluate(() => {
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    const { tasks } = globalThis as unknown as { tasks: number[] };
    return {
      paintMs: paint?.startTime ?? Number.NaN,
      // What of a task is beyond 50 ms keeps people waiting (Total Blocking Time of web.dev).
      blockedMs: tasks.reduce((sum, ms) => sum + Math.max(0, ms - 50), 0),
    };
  });
}
