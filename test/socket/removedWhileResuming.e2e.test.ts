/** Who is removed while they resume is sent what came before that, and nothing that came after, also where they are readmitted. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { workshopEngine } from '../../src/engine/engine.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { history, host, liveWorkshop, ok, send, user } from '../engine/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { type Gateway, gateway } from '../kit/gateway.ts';

let folder: TemporaryFolder;
let log: EventLog;
let here: Gateway;
/** What the tail brings waits for it, and is lost then: the room has to read the log. */
let open: Promise<void> | undefined;

beforeEach(async () => {
  folder = temporaryFolder('resuming');
  log = await embeddedLog({ path: join(folder.path, 'log') });
  open = undefined;
  const lagging: EventLog = {
    ...log,
    feed: {
      ...log.feed,
      tail: (options) =>
        log.feed.tail({
          ...options,
          async onBatch(batch) {
            const isLost = open !== undefined;
            await open;
            await options.onBatch(isLost ? { ...batch, entries: [], gap: true } : batch);
          },
        }),
    },
  };
  here = await gateway({ log: lagging, graceMs: 60_000, leaseMs: 60_000 });
});
afterEach(async () => {
  await here.close();
  await log.close();
  await folder.close();
});

it('[P8] the removal is the last that they hear', async () => {
  const other = { log, engine: workshopEngine({ log, node: 'other' }) };
  const workshopId = await liveWorkshop(here);
  for (const who of [2, 3]) await ok(send(here, workshopId, user(who), 'rsvp', {}));
  const three = await here.connect(3);
  await three.say('join', { workshopId });
  const { version, epoch } = await three.state();
  let go = () => {};
  open = new Promise((resolve) => {
    go = resolve;
  });
  await ok(send(other, workshopId, user(3), 'chat', { message: 'before' }));
  const two = await here.connect(2);
  // Acknowledged at once; what was missed comes when the node has it.
  expect(await two.say('join', { workshopId, after: { version, epoch } })).toMatchObject({ resumed: true });
  await ok(send(other, workshopId, host, 'remove-user', { targetUserId: 2 }));
  await ok(send(other, workshopId, user(3), 'chat', { message: 'gone at last' }));
  await ok(send(other, workshopId, host, 'readmit-user', { targetUserId: 2 }));
  go();
  await three.hears('user-readmitted');
  await two.hears('user-removed');
  const events = await history(log, workshopId);
  const until = events.findIndex(({ type }) => type === 'user-removed');
  expect(two.heard.map(({ name }) => name)).toEqual(
    events.slice(version, until + 1).map(({ type }) => `workshop:${type}`),
  );
  expect(await two.ask('workshop:attendees', { workshopId })).toMatchObject({
    error: { code: 'not_joined' },
  });
  await other.engine.close();
});
