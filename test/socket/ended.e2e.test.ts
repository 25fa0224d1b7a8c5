/** Tokens that end while the node is too busy to notice. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { history, liveWorkshop, ok, send, user } from '../engine/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { type Gateway, gateway } from '../kit/gateway.ts';

let folder: TemporaryFolder;
let log: EventLog;
let here: Gateway;

beforeEach(async () => {
  folder = temporaryFolder('ended');
  log = await embeddedLog({ path: join(folder.path, 'log') });
  here = await gateway({ log });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await here.close();
  await log.close();
  await folder.close();
});

it('[S5] nothing is done for a token from its end on, also before its socket is disconnected', async () => {
  const workshopId = await liveWorkshop(here);
  await ok(send(here, workshopId, user(2), 'rsvp', {}));
  const two = await here.connect(2);
  await two.say('join', { workshopId });
  const { version } = await two.state();
  const end = Date.now() + 2 * 3_600_000;
  for (const command of ['chat', 'raise-hand', 'leave'] as const) {
    const answer = two.ask(`workshop:${command}`, { workshopId, message: 'too late' });
    // The client looks at the same clock while it sends: for it there is no end.
    const clock = vi.spyOn(Date, 'now').mockReturnValue(end);
    expect(await answer).toMatchObject({ ok: false, error: { code: 'token_expired' } });
    clock.mockRestore();
  }
  expect(two.socket.connected).toBe(true);
  expect(await history(log, workshopId)).toHaveLength(version);
});
