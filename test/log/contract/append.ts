/** Versions, times, conflicts, epochs and deadlines. */
import { expect, test } from 'vitest';
import { maxEventsPerAppend, missingLimit } from '../../../src/log/log.ts';
import type { Stage } from '../contract.ts';
import { as, chat, command, draft, fill, removal, send, sent, versions } from '../drafts.ts';

const workshopId = 11;

export function appendTests(stage: Stage): void {
  test('versions count from 1 without a gap, over several appends', async () => {
    const { log } = stage;
    const first = await sent(log, { workshopId }, command({ events: [draft(), draft(), draft()] }));
    expect([first.from, first.to, first.missing]).toEqual([1, 3, []]);
    const second = await sent(log, { workshopId, base: 3 }, command(), command());
    expect([second.from, second.to]).toEqual([4, 5]);
    expect(versions(await log.events.read(workshopId, 0, 10))).toEqual([1, 2, 3, 4, 5]);
    expect(await log.events.head(workshopId)).toMatchObject({ version: 5, epoch: first.epoch });
  });

  test('workshops count their versions apart from one another', async () => {
    const { log } = stage;
    await fill(log, workshopId, 3);
    expect((await sent(log, { workshopId: 12 }, command())).to).toBe(1);
  });

  test('the time of events never falls, and is that of the answer', async () => {
    const { log } = stage;
    const before = log.now() - 1_000;
    let last = 0;
    for (let base = 0; base < 20; base += 1) {
      const { at } = await sent(log, { workshopId, base }, command());
      expect(at).toBeGreaterThanOrEqual(Math.max(last, before));
      last = at;
      expect((await log.events.read(workshopId, base, 1))[0]?.at).toBe(at);
    }
    expect(last).toBeLessThan(log.now() + 1_000);
  });

  test('[L2] what follows on events of a time that is yet to come is not earlier than these', async () => {
    const { log } = stage;
    await fill(log, workshopId, 2);
    // As a clock that was set back, or another machine's, sees what is there.
    const ahead = log.now() + 3_600_000;
    const events = (await log.events.read(workshopId, 0, 2)).map((event) => ({ ...event, at: ahead }));
    async function* pages() {
      yield events;
    }
    expect(await log.streams.refill(13, pages())).toBe(true);
    expect((await sent(log, { workshopId: 13, base: 2 }, command())).at).toBe(ahead);
    expect((await log.events.read(13, 0, 10)).map(({ at }) => at)).toEqual([ahead, ahead, ahead]);
  });

  test('a command that reads everything conflicts with any later event and gets what it missed', async () => {
    const { log } = stage;
    await fill(log, workshopId, 3);
    const answer = as('conflict', await send(log, { workshopId, base: 1 }, command({ reads: ['*'] })));
    expect(answer.version).toBe(3);
    expect(answer.epoch).toBe((await log.events.head(workshopId))?.epoch);
    expect(answer.missing).toEqual(await log.events.read(workshopId, 1, 10));
    expect(versions(answer.missing)).toEqual([2, 3]);
    expect((await log.events.head(workshopId))?.version).toBe(3);
  });

  test('chat does not conflict with chat, and is told what lies between', async () => {
    const { log } = stage;
    await sent(log, { workshopId }, chat(7));
    await sent(log, { workshopId, base: 1 }, chat(8));
    const answer = await sent(log, { workshopId, base: 1 }, chat(7));
    expect([answer.from, answer.to]).toEqual([3, 3]);
    expect(answer.missing).toEqual(await log.events.read(workshopId, 1, 1));
  });

  test('chat conflicts with the removal of its author, not with that of another', async () => {
    const { log } = stage;
    await sent(log, { workshopId }, chat(7));
    await sent(log, { workshopId, base: 1 }, removal(7));
    const refused = as('conflict', await send(log, { workshopId, base: 1 }, chat(7)));
    expect(versions(refused.missing)).toEqual([2]);
    expect((await sent(log, { workshopId, base: 1 }, chat(8))).to).toBe(3);
    expect((await sent(log, { workshopId, base: 2 }, chat(7))).to).toBe(4);
  });

  test('a mark is found however many events came after the one that bears it', async () => {
    const { log } = stage;
    await sent(log, { workshopId }, removal(7));
    await fill(log, workshopId, missingLimit - 1);
    const answer = as('conflict', await send(log, { workshopId, base: 0 }, chat(7)));
    expect(answer.missing).toHaveLength(missingLimit);
    expect((await sent(log, { workshopId, base: 1 }, chat(7))).missing).toHaveLength(missingLimit - 1);
  });

  test('who is too far behind conflicts, whatever it reads, and gets the first part of what it missed', async () => {
    const { log } = stage;
    await fill(log, workshopId, missingLimit + 1);
    const answer = as('conflict', await send(log, { workshopId, base: 0 }, command()));
    expect(answer.version).toBe(missingLimit + 1);
    expect(versions(answer.missing)).toEqual(Array.from({ length: missingLimit }, (_, index) => index + 1));
  });

  test('nothing is appended on a version that the log does not have', async () => {
    const { log } = stage;
    await fill(log, workshopId, 2);
    const answer = as('conflict', await send(log, { workshopId, base: 5 }, command()));
    expect([answer.version, answer.missing]).toEqual([2, []]);
    expect(await log.events.read(workshopId, 0, 10)).toHaveLength(2);
  });

  test('several commands of an append are taken together, each event with its command and author', async () => {
    const { log } = stage;
    const two = command({ by: 7, events: [draft(), draft()] });
    const one = command({ by: 'system' });
    await sent(log, { workshopId }, two, one);
    const events = await log.events.read(workshopId, 0, 10);
    expect(events.map(({ by, commandId }) => [by, commandId])).toEqual([
      [7, two.commandId],
      [7, two.commandId],
      ['system', one.commandId],
    ]);
    expect(events.map(({ eventId }) => eventId)).toEqual(
      [...two.events, ...one.events].map(({ eventId }) => eventId),
    );
    expect(new Set(events.map(({ at }) => at)).size).toBe(1);
  });

  test('one command that conflicts leaves nothing of the others in the log', async () => {
    const { log } = stage;
    await sent(log, { workshopId }, removal(7));
    const goes = chat(8, { remember: true });
    as('conflict', await send(log, { workshopId, base: 0 }, goes, chat(7)));
    expect(await log.events.read(workshopId, 0, 10)).toHaveLength(1);
    expect((await log.commands.check(workshopId, 1, 8, goes.commandId)).done).toBeNull();
    expect((await sent(log, { workshopId, base: 1 }, goes)).to).toBe(2);
  });

  test('after its deadline an append is late and leaves nothing', async () => {
    const { log } = stage;
    const one = command({ remember: true });
    as('late', await send(log, { workshopId, deadline: log.now() - 1_000 }, one));
    expect(await log.events.head(workshopId)).toBeNull();
    expect((await log.commands.check(workshopId, 0, 7, one.commandId)).done).toBeNull();
    as('appended', await send(log, { workshopId }, one));
  });

  test('under another epoch nothing is appended', async () => {
    const { log } = stage;
    const { epoch } = await sent(log, { workshopId }, command());
    const answer = as('epoch', await send(log, { workshopId, base: 1, epoch: `${epoch}x` }, command()));
    expect(answer).toEqual({ kind: 'epoch', epoch, version: 1 });
    expect((await sent(log, { workshopId, base: 1, epoch }, command())).to).toBe(2);
  });

  test('500 events go into one append and come back in order', async () => {
    const { log } = stage;
    const events = Array.from({ length: 500 }, (_, index) => draft([`user:${index + 1}`], { index }));
    expect((await sent(log, { workshopId }, command({ events }))).to).toBe(500);
    const read = await log.events.read(workshopId, 0, 1_000);
    expect(read.map(({ data }) => data)).toEqual(events.map(({ data }) => JSON.parse(data)));
    expect(versions(read)).toEqual(events.map((_, index) => index + 1));
  });

  test('an append of too many events is refused as a whole', async () => {
    const { log } = stage;
    const events = Array.from({ length: maxEventsPerAppend + 1 }, () => draft());
    await expect(send(log, { workshopId }, command({ events }))).rejects.toThrow(RangeError);
    expect(await log.events.head(workshopId)).toBeNull();
  });
}
