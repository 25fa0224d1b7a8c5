/** What the log remembers of command ids. */
import { expect, test } from 'vitest';
import type { Stage } from '../contract.ts';
import { as, command, draft, fill, send, sent, versions } from '../drafts.ts';

const workshopId = 21;

export function commandTests(stage: Stage): void {
  test('a remembered command that is sent again is answered with its version and fingerprint', async () => {
    const { log } = stage;
    const one = command({ remember: true, fingerprint: 'f:1', events: [draft(), draft()] });
    await sent(log, { workshopId }, one);
    await fill(log, workshopId, 3);
    const answer = as('done', await send(log, { workshopId, base: 5 }, one));
    expect(answer.commands).toEqual([{ index: 0, version: 2, fingerprint: 'f:1' }]);
    expect((await log.events.head(workshopId))?.version).toBe(5);
  });

  test('it is answered so before a conflict, and with what the sender missed', async () => {
    const { log } = stage;
    const one = command({ remember: true, reads: ['*'], fingerprint: 'f' });
    await sent(log, { workshopId }, one);
    await fill(log, workshopId, 2);
    const answer = as('done', await send(log, { workshopId, base: 0, epoch: 'another' }, one));
    expect(answer.commands).toEqual([{ index: 0, version: 1, fingerprint: 'f' }]);
    expect(versions(answer.missing)).toEqual([1, 2, 3]);
  });

  test('it is answered so after many other events', async () => {
    const { log } = stage;
    const one = command({ remember: true, fingerprint: 'f' });
    await sent(log, { workshopId }, one);
    await fill(log, workshopId, 400);
    const answer = as('done', await send(log, { workshopId, base: 401 }, one));
    expect(answer.commands).toEqual([{ index: 0, version: 1, fingerprint: 'f' }]);
  });

  test("another user's command under the same id, and the same in another workshop, are other commands", async () => {
    const { log } = stage;
    const one = command({ remember: true, by: 7 });
    await sent(log, { workshopId }, one);
    expect((await sent(log, { workshopId, base: 1 }, { ...one, by: 8 })).to).toBe(2);
    expect((await sent(log, { workshopId: workshopId + 1 }, one)).to).toBe(1);
  });

  test('where one of several commands was done before, it is named and nothing is appended', async () => {
    const { log } = stage;
    const one = command({ remember: true, fingerprint: 'f' });
    await sent(log, { workshopId }, one);
    const answer = as('done', await send(log, { workshopId, base: 1 }, command(), one, command()));
    expect(answer.commands).toEqual([{ index: 1, version: 1, fingerprint: 'f' }]);
    expect(await log.events.read(workshopId, 0, 10)).toHaveLength(1);
  });

  test('an id that is not remembered is recognised among the events after the base', async () => {
    const { log } = stage;
    await fill(log, workshopId, 1);
    const one = command({ events: [draft(), draft()] });
    await sent(log, { workshopId, base: 1 }, one);
    await fill(log, workshopId, 1);
    const answer = as('done', await send(log, { workshopId, base: 1 }, one));
    expect(answer.commands).toEqual([{ index: 0, version: 3, fingerprint: '' }]);
    expect(versions(answer.missing)).toEqual([2, 3, 4]);
  });

  test('an id that is not remembered is free again for who has seen its events', async () => {
    const { log } = stage;
    const one = command();
    await sent(log, { workshopId }, one);
    expect((await sent(log, { workshopId, base: 1 }, one)).to).toBe(2);
  });

  test('a check tells the version, what is missing, and whether a command was done', async () => {
    const { log } = stage;
    const one = command({ remember: true, fingerprint: 'f' });
    const { epoch } = await sent(log, { workshopId }, one);
    await fill(log, workshopId, 250);
    const check = await log.commands.check(workshopId, 1, 7, one.commandId);
    expect([check.version, check.epoch, check.done]).toEqual([251, epoch, { version: 1, fingerprint: 'f' }]);
    expect(check.missing).toEqual(await log.events.read(workshopId, 1, 200));
    expect((await log.commands.check(workshopId, 251, 8, one.commandId)).done).toBeNull();
    expect(await log.commands.check(workshopId, 251, 7, null)).toEqual({
      version: 251,
      epoch,
      done: null,
      missing: [],
    });
  });
}
