/**
 * Takes the pictures that the README shows – a lively room, a timeline, the operators' page: `npm run pictures`. The server, the people and
 * the pages are real; who they are and what they say is made up here.
 */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { launchChromium } from '../test/hooks/chromium.ts';
import { addToRedis, pastEvents } from '../test/kit/pastWorkshop.ts';
import { startPostgres } from '../test/kit/postgres.ts';
import { startRedis } from '../test/kit/redis.ts';
import { type Guest, type TokenOptions, testServer, token } from '../test/kit/server.ts';

const title = 'Sourdough from scratch';
const names = [
  'Noor Haddad',
  'Tomás Vidal',
  'Mei Lin',
  'Jonas Berg',
  'Amara Okafor',
  'Priya Nair',
  'Leo Marchetti',
];
const [noor, tomas, mei, jonas, amara, priya, leo] = names.map((_, index) => index + 2) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

const redis = await startRedis();
const postgres = await startPostgres();
const server = await testServer({
  ...{ REDIS_URL: redis.url, DATABASE_URL: await postgres.createDatabase() },
  ...{ GUESTS: 'true', RATE_LIMIT_SCALE: '0', PRESENCE_GRACE_MS: '60000' },
});
const browser = await launchChromium();
try {
  await room(await opened());
  await operation(await opened({ id: 901, name: 'Olga', roles: ['admin'] }));
  await timeline(await opened({ id: 900, name: 'Ana', roles: ['analyst'] }));
} finally {
  await browser.close();
  await server.close();
  await postgres.close();
  await redis.close();
}

async function opened(who?: TokenOptions): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    locale: 'en-GB',
  });
  if (who !== undefined)
    await context.addCookies([{ name: 'workshop_token', value: await token(who), url: server.url }]);
  return context.newPage();
}

async function taken(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: fileURLToPath(new URL(`images/${name}.png`, import.meta.url)) });
}

async function room(page: Page): Promise<void> {
  await page.goto(server.url);
  await page.getByLabel('Your name').fill('Ada Lindgren');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Title').fill(title);
  await page.getByRole('button', { name: 'Start now' }).click();
  await page.getByText('Ada Lindgren (you)').waitFor();
  const workshopId = Number(page.url().split('/').at(-1));

  const guests = new Map<number, Guest>();
  for (const [index, name] of names.entries()) {
    const user = { id: index + 2, name };
    await server.rest(user, 'POST', `/api/workshops/${workshopId}/rsvp`);
    const guest = await server.connect(user);
    await guest.say('join', { workshopId });
    guests.set(user.id, guest);
  }
  const does = (user: number, name: 'raise-hand' | 'lower-hand') =>
    guests.get(user)?.say(name, { workshopId });
  const says = (user: number, message: string) => guests.get(user)?.say('chat', { workshopId, message });
  const hostSays = async (message: string) => {
    await page.getByLabel('Message', { exact: true }).fill(message);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('log').getByText(message).waitFor();
  };

  await page.getByRole('button', { name: 'Actions for Noor Haddad' }).click();
  await page.getByRole('button', { name: 'Make co-host' }).click();
  await does(jonas, 'raise-hand');
  await page.getByRole('button', { name: 'Let Jonas Berg speak' }).click();
  await hostSays('Welcome, everyone! We start with the starter, then shape the first loaf.');
  await says(mei, 'Hello from Taipei!');
  await says(tomas, 'My starter is three weeks old and smells of apples. Is that a good sign?');
  await says(noor, 'Apples are good! It is when it smells of paint that you should feed it more often.');
  await says(leo, 'What hydration are you using today?');
  await hostSays('75 %, with a fifth of it rye. The recipe is linked in the invitation.');
  await says(amara, 'Mine doubled in four hours!');
  await does(priya, 'raise-hand');
  await does(tomas, 'raise-hand');
  await says(priya, 'I have a question about folding, whenever there is time.');
  await page.getByRole('button', { name: 'Let Tomás Vidal speak' }).waitFor();
  await page.getByRole('log').getByText('about folding').waitFor();
  await taken(page, 'room');
}

async function timeline(page: Page): Promise<void> {
  const startedAt = Date.now() - 26 * 3_600_000;
  const events = pastEvents({
    startedAt,
    attendees: 120,
    minutes: 60,
    seed: 12,
    title: 'Binding a book',
    firstUser: 101,
  });
  const workshopId = await addToRedis(redis.url, events);
  await page.goto(`${server.url}/w/${workshopId}/timeline?t=39m10s&speed=4`);
  await page.getByRole('heading', { name: 'Who waited longest' }).waitFor();
  await page.getByText('39:10 of 1:00:00').waitFor();
  await taken(page, 'timeline');
}

async function operation(page: Page): Promise<void> {
  await page.goto(`${server.url}/admin`);
  await page.getByText('Everything runs as it should.').waitFor();
  await page.getByText(/^Events behind0$/).waitFor();
  await taken(page, 'operation');
}
