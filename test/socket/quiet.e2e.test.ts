/** Nobody is recorded as gone on the word of a log that was away: leases ran out that could not be renewed. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { workshopEngine } from '../../src/engine/engine.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { liveWorkshop, ok, send, user } from '../engine/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { type Gateway, gateway } from '../kit/gateway.ts';
import { until } from '../kit/until.ts';

const leaseMs = 800;
let folder: TemporaryFolder;
let log: EventLog;
let here: Gateway;
/** Whether this node cannot renew its lease, how often it could not, and when it first could again. */
let line: { isCut: boolean; failures: number; mendedAt: number };

beforeEach(async () => {
  folder = temporaryFolder('quiet');
  log = await embeddedLog({ path: join(folder.path, 'log') });
  line = { isCut: false, failures: 0, mendedAt: 0 };
  const presence = {
    ...log.presence,
    async renew(...lease: Parameters<EventLog['presence']['renew']>) {
      if (line.isCut) {
        line.failures++;
        throw new Error('the line is cut');
      }
      if (line.failures > 0) line.mendedAt ||= performance.now();
      return log.presence.renew(...lease);
    },
  };
  here = await gateway({ log: { ...log, presence }, graceMs: 0, leaseMs });
});
afterEach(async () => {
  await here.close();
  await log.close();
  await folder.close();
});

/** The log is away for the lease of this node, until that was noticed, and comes back. */
async function away(meanwhile: () => Promise<unknown> = async () => undefined): Promise<void> {
  line.isCut = true;
  await until(() => line.failures > 0, { what: 'the node to notice' });
  await meanwhile();
  line.isCut = false;
  await until(() => line.mendedAt > 0, { what: 'the lease to stand again' });
}

describe('after the log was away', () => {
  it('[P9] who drops is not recorded as gone before one lease has passed', async () => {
    const workshopId = await liveWorkshop(here);
    for (const who of [2, 3]) await ok(send(here, workshopId, user(who), 'rsvp', {}));
    const [two, three] = [await here.connect(2), await here.connect(3)];
    for (const guest of [two, three]) await guest.say('join', { workshopId });
    await away();
    three.close();
    expect(await two.hears('user-left')).toMatchObject({ userId: 3, reason: 'disconnected' });
    expect(performance.now() - line.mendedAt).toBeGreaterThanOrEqual(leaseMs);
  });

  it('[P9] nor is whose node could not renew its lease either', async () => {
    const workshopId = await liveWorkshop(here);
    await ok(send(here, workshopId, user(2), 'rsvp', {}));
    const two = await here.connect(2);
    await two.say('join', { workshopId });
    const other = { log, engine: workshopEngine({ log, node: 'other' }) };
    await away(async () => {
      await log.presence.renew('other', 1);
      await ok(send(other, workshopId, user(3), 'rsvp', {}));
      await ok(send(other, workshopId, user(3), 'join', {}));
      await until(async () => (await log.presence.expired()).some(({ node }) => node === 'other'), {
        what: 'the lease of the other node to run out',
      });
    });
    expect(await two.hears('user-left')).toMatchObject({ userId: 3, reason: 'disconnected' });
    expect(performance.now() - line.mendedAt).toBeGreaterThanOrEqual(leaseMs);
    await other.engine.close();
  });
});
