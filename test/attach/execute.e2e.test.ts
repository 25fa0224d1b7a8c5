/** Commands from the application's own code. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Host, host, liveWorkshop } from './host.ts';

let app: Host;
let workshopId: number;
const ada = { userId: 2, displayName: 'Ada', avatarUrl: null, roles: [] };
const hanna = { ...ada, userId: 1, displayName: 'Hanna' };

beforeAll(async () => {
  app = await host();
  workshopId = await liveWorkshop(app);
});
afterAll(() => app.close());

it('[AT8] does as a user what that user may do, and the room is told', async () => {
  const guest = await app.guest(2);
  await guest.say('join', { workshopId });
  const { execute } = app.workshops;
  const said = await execute({ workshopId, name: 'chat', payload: { message: 'from the code' }, as: ada });
  expect(said).toMatchObject({ ok: true, changed: true });
  expect(await guest.hears('chat-message')).toMatchObject({ userId: 2, message: 'from the code' });
  expect(await execute({ workshopId, name: 'end', as: ada })).toMatchObject({
    ok: false,
    error: { code: 'forbidden' },
  });
  guest.close();
});

it('[AT8] does as the system what a host may do', async () => {
  const { execute } = app.workshops;
  expect(
    await execute({ workshopId, name: 'promote-cohost', payload: { targetUserId: 3 }, as: 'system' }),
  ).toMatchObject({
    ok: true,
    changed: true,
  });
  expect(await execute({ workshopId, name: 'rsvp', as: 'system' })).toMatchObject({
    error: { code: 'forbidden' },
  });
});

it('[AT8] schedules a workshop and says which, the same one for the same command id', async () => {
  const payload = { title: 'Rye', scheduledAt: new Date().toISOString(), commandId: crypto.randomUUID() };
  const made = await app.workshops.execute({ name: 'schedule-workshop', payload, as: hanna });
  expect(made).toMatchObject({ ok: true, version: 1, changed: true, workshopId: expect.any(Number) });
  expect(await app.workshops.execute({ name: 'schedule-workshop', payload, as: hanna })).toEqual(made);
});

it.each([
  ['a command that there is not', { name: 'dance', as: ada }, 'unknown_command', /no such command/],
  [
    'one of the engine’s own',
    { name: 'drop-user', as: 'system' as const },
    'unknown_command',
    /no such command/,
  ],
  ['joining without a socket', { name: 'join', as: ada }, 'forbidden', /only a socket/],
  [
    'a payload that is none',
    { name: 'chat', payload: { message: '' }, as: ada },
    'invalid_payload',
    /^message: /,
  ],
  ['nobody', { name: 'chat', as: null as never }, 'invalid_payload', /^as/],
  [
    'a user without a name',
    { name: 'chat', as: { userId: 2 } as never },
    'invalid_payload',
    /^as\.displayName/,
  ],
])('[AT8] refuses %s', async (_, command, code, message) => {
  const answer = await app.workshops.execute({ workshopId, ...command });
  expect(answer).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message) } });
});
