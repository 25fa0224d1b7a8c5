/**
 * Takes the picture of a lively room that the README shows: `node --import ./test/kit/sources.js docs/screenshot.ts`. The server, the people and
 * the page are real; who they are and what they say is made up here.
 */
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../test/hooks/chromium.ts';
import { type Guest, testServer } from '../test/kit/server.ts';

const picture = fileURLToPath(new URL('images/room.png', import.meta.url));
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

const server = await testServer({ GUESTS: 'true', RATE_LIMIT_SCALE: '0' });
const browser = await launchChromium();
try {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.getByLabel('Your name').fill('Ada Lindgren');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Title').fill(title);
  await page.getByRole('button', { name: 'Start now' }).click();
  await page.getByText('Ada Lindgren (you)').waitFor();
  const workshopId = Number(new URL(page.url()).searchParams.get('workshop'));

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
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: picture });
} finally {
  await browser.close();
  await server.close();
}
