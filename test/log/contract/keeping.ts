/** What is removed, put back and written anew. */
import { expect, test } from 'vitest';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { type EventLog, isPart, type Last, readAll } from '../../../src/log/log.ts';
import { until } from '../../kit/until.ts';
import type { Stage } from '../contract.ts';
import { as, chat, command, draft, fill, follow, node, send, sent, versions } from '../drafts.ts';

const workshopId = 71;

async function lastOf(log: EventLog): Promise<Last> {
  const head = await log.events.head(workshopId);
  if (head === null) throw new Error('there is no such workshop');
  const [event] = await log.events.read(workshopId, head.version - 1, 1);
  return { version: head.version, epoch: head.epoch, eventId: event?.eventId ?? '' };
}

async function eventsOf(log: EventLog): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of readAll(log.events, workshopId)) events.push(...page);
  return events;
}

async function* pages(
  events: readonly RecordedEvent[],
  size = 100,
): AsyncGenerator<readonly RecordedEvent[]> {
  for (let first = 0; first < events.length; first += size) yield events.slice(first, first + size);
}

const said = (text: string) => command({ events: [draft([], { text })] });
/** Takes one text away, and leaves everything else as it is. */
const without = (text: string) => (event: RecordedEvent) =>
  (event.data as { text: string }).text === text ? { text: null } : event.data;

export function keepingTests(stage: Stage): void {
  test('[Z1] a workshop that is removed leaves nothing behind, and others stay', async () => {
    const { log } = stage;
    await sent(log, { workshopId, wakes: true }, command({ events: [draft(['room']), draft(['user:7'])] }));
    await fill(log, 72, 2);
    await log.presence.hold(workshopId, [7], node);
    expect(await log.streams.remove(workshopId, await lastOf(log))).toBe(true);
    expect(await log.events.head(workshopId)).toBeNull();
    expect(await log.events.read(workshopId, 0, 10)).toEqual([]);
    expect(await log.commands.check(workshopId, 0, 7, null)).toMatchObject({
      version: 0,
      epoch: '',
      missing: [],
    });
    expect((await log.streams.open(log.partitionOf(workshopId))).has(workshopId)).toBe(false);
    expect(await log.timers.claim(10, 0)).toEqual([]);
    const held = (await log.presence.expired()).filter((each) => each.workshopId === workshopId);
    expect(held).toEqual([]);
    expect(versions(await log.events.read(72, 0, 10))).toEqual([1, 2]);
  });

  test('[Z1] it is removed once, and only where it ends as the caller says', async () => {
    const { log } = stage;
    await fill(log, workshopId, 3);
    const before = await lastOf(log);
    await fill(log, workshopId, 1);
    const last = await lastOf(log);
    for (const other of [
      before,
      { ...last, eventId: before.eventId },
      { ...last, epoch: 'another' },
      { ...last, version: 5 },
    ])
      expect(await log.streams.remove(workshopId, other)).toBe(false);
    expect(versions(await log.events.read(workshopId, 0, 10))).toEqual([1, 2, 3, 4]);
    expect(await log.streams.remove(workshopId, last)).toBe(true);
    expect(await log.streams.remove(workshopId, last)).toBe(false);
    expect(await log.streams.remove(999, last)).toBe(false);
  });

  test('[Z2] nothing is appended to what was removed, from version 1 on least of all', async () => {
    const { log } = stage;
    const { workshopId } = await log.ids.allocate();
    const { epoch } = await fill(log, workshopId, 2);
    const [, last] = await log.events.read(workshopId, 0, 2);
    await log.streams.remove(workshopId, { version: 2, epoch, eventId: last?.eventId ?? '' });
    for (const asked of [{ base: 0 }, { base: 2 }, { base: 2, epoch }])
      expect(await send(log, { workshopId, ...asked }, chat(7))).toEqual({
        ...{ kind: 'conflict', version: 0, epoch: '', missing: [] },
      });
    expect(await log.events.head(workshopId)).toBeNull();
    expect((await log.ids.allocate()).workshopId).toBeGreaterThan(workshopId);
  });

  test('[Z2] a command that was done before the removal was done', async () => {
    const { log } = stage;
    const one = command({ remember: true });
    await sent(log, { workshopId }, one);
    const events = await eventsOf(log);
    await log.streams.remove(workshopId, await lastOf(log));
    expect((await log.commands.check(workshopId, 0, 7, one.commandId)).done?.version).toBe(1);
    await log.streams.refill(workshopId, pages(events));
    expect(as('done', await send(log, { workshopId, base: 1 }, one)).commands).toMatchObject([
      { version: 1 },
    ]);
  });

  test('[Z2] what was sent under a command id is known as before, also once the workshop is put back', async () => {
    const { log } = stage;
    const one = command({ remember: true, fingerprint: 'of the first' });
    await sent(log, { workshopId }, one);
    const events = await eventsOf(log);
    await log.streams.remove(workshopId, await lastOf(log));
    await log.streams.refill(workshopId, pages(events));
    const known = { version: 1, fingerprint: 'of the first' };
    expect((await log.commands.check(workshopId, 1, 7, one.commandId)).done).toEqual(known);
    const again = await send(log, { workshopId, base: 1 }, { ...one, fingerprint: 'of another' });
    expect(as('done', again).commands).toMatchObject([known]);
  });

  test('[Z2] of a command that appended several events the last one is told, also where the ids were not known any more', async () => {
    const { log } = stage;
    const commandId = '6d4f0a52-1f6e-4b55-9d0c-6a7b3f1f2c11';
    const before = await sent(log, { workshopId: 72 }, command({ events: [draft(), draft(), draft()] }));
    const events = (await log.events.read(72, 0, before.to)).map((event) => ({ ...event, commandId }));
    expect(await log.streams.refill(workshopId, pages(events, 2))).toBe(true);
    expect((await log.commands.check(workshopId, 3, 7, commandId)).done?.version).toBe(3);
  });

  test('[Z2] what was removed is put back as it was, under a new epoch, and goes on', async () => {
    const { log } = stage;
    await fill(log, workshopId, 550);
    const { epoch } = await fill(log, workshopId, 250);
    const events = await eventsOf(log);
    await log.streams.remove(workshopId, await lastOf(log));
    const part = pages(events.toSpliced(300, 1));
    await expect(log.streams.refill(workshopId, part)).rejects.toThrow('event 301 was not kept');
    expect(await log.events.head(workshopId)).toBeNull();
    expect(await log.events.read(workshopId, 0, 10)).toEqual([]);
    expect(await log.streams.refill(workshopId, pages([]))).toBe(false);

    const both = [log, await stage.second()].map((each) => each.streams.refill(workshopId, pages(events)));
    expect((await Promise.all(both)).toSorted()).toEqual([false, true]);
    expect(await eventsOf(log)).toEqual(events);
    const head = await log.events.head(workshopId);
    if (head === null) throw new Error('it was not put back');
    expect(isPart(head, epoch, 800)).toBe(false);
    expect((await log.streams.open(log.partitionOf(workshopId))).get(workshopId)).toBe(800);
    expect(await log.timers.claim(10, 0)).toEqual([workshopId]);
    const next = await sent(log, { workshopId, base: 800, epoch: head.epoch }, chat(7));
    expect([next.from, next.epoch]).toEqual([801, head.epoch]);
    expect(await log.streams.remove(workshopId, await lastOf(log))).toBe(true);
  });

  test('[Z3] data is written anew in its place, and everything else stays', async () => {
    const { log } = stage;
    await sent(log, { workshopId }, said('first'), said('secret'), said('last'));
    const before = await eventsOf(log);
    expect(await log.streams.rewrite(workshopId, without('secret'))).toBe(1);
    const expected = before.map((event) => ({ ...event, data: without('secret')(event) }));
    expect(await eventsOf(log)).toEqual(expected);
    expect(await log.streams.rewrite(workshopId, without('secret'))).toBe(0);
    expect(await log.streams.rewrite(999, without('secret'))).toBe(0);
    expect((await sent(log, { workshopId, base: 3 }, chat(7))).to).toBe(4);
  });

  test('[Z3] what was seen before counts for nothing then, and every reader is told', async () => {
    const { log } = stage;
    const { epoch } = await sent(log, { workshopId }, said('secret'), said('stays'));
    const other = await stage.second();
    const reader = await follow(other, other.partitionOf(workshopId), 'end');
    await log.streams.rewrite(workshopId, without('secret'));
    const head = await log.events.head(workshopId);
    if (head === null) throw new Error('it is gone');
    expect([head.version, isPart(head, epoch, 2), isPart(head, epoch, 1)]).toEqual([2, false, false]);
    expect(as('epoch', await send(log, { workshopId, base: 2, epoch }, chat(7))).epoch).toBe(head.epoch);
    await until(() => reader.batches.length > 0, { what: 'the reader to be told' });
    const [entry] = reader.batches.flatMap(({ entries }) => entries);
    expect(entry).toMatchObject({ workshopId, from: 3, to: 2, epoch: head.epoch });
    expect(entry?.events()).toEqual([]);
    await sent(log, { workshopId, base: 2, epoch: head.epoch }, chat(7));
    expect(await reader.came(1)).toEqual([`${workshopId}:3`]);
    await reader.close();
  });

  test('[Z3] nothing of it is left in the feed, whoever reads it from where', async () => {
    const { log } = stage;
    await sent(log, { workshopId }, said('secret'));
    await log.streams.rewrite(workshopId, without('secret'));
    const reader = await follow(log, log.partitionOf(workshopId), 0);
    await until(() => reader.batches.length > 0, { what: 'anything to come' });
    await sent(log, { workshopId, base: 1 }, said('public'));
    await until(() => reader.events().includes(`${workshopId}:2`), { what: 'what came afterwards' });
    const told = reader.batches.flatMap(({ entries }) => entries.flatMap((entry) => entry.events()));
    expect(JSON.stringify(told)).not.toContain('secret');
    await reader.close();
  });

  test('[Z3] where nothing is to be changed the epoch stays, and nobody is told', async () => {
    const { log } = stage;
    const { epoch } = await sent(log, { workshopId }, said('stays'));
    const reader = await follow(log, log.partitionOf(workshopId), 'end');
    expect(await log.streams.rewrite(workshopId, without('secret'))).toBe(0);
    expect((await log.events.head(workshopId))?.epoch).toBe(epoch);
    await sent(log, { workshopId, base: 1, epoch }, chat(7));
    expect(await reader.came(1)).toEqual([`${workshopId}:2`]);
    expect(reader.batches.flatMap(({ entries }) => entries)).toHaveLength(1);
    await reader.close();
  });

  test('[Z3] what is appended meanwhile is written anew too, and nothing is lost', async () => {
    const { log } = stage;
    const other = await stage.second();
    for (let count = 0; count < 3; count++) await fill(log, workshopId, 400);
    let writing = true;
    let appended = 0;
    const writer = (async () => {
      while (writing) {
        await sent(other, { workshopId, base: 1_200 + appended }, said('secret'), said(`after ${appended}`));
        appended += 2;
        // Others of the room write too, but not in every millisecond.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await until(() => appended > 4, { what: 'some events' });
    await log.streams.rewrite(workshopId, without('secret'));
    writing = false;
    await writer;
    await log.streams.rewrite(workshopId, without('secret'));
    const events = await eventsOf(log);
    expect(versions(events)).toEqual(Array.from({ length: 1_200 + appended }, (_, index) => index + 1));
    const texts = events.slice(1_200).map(({ data }) => (data as { text: string | null }).text);
    expect(texts).toEqual(
      Array.from({ length: appended }, (_, index) => (index % 2 === 0 ? null : `after ${index - 1}`)),
    );
  });
}
