/** A history is one, wherever its events are kept and whatever becomes of its stream meanwhile. */
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { workshopHistory } from '../../src/history/history.ts';
import type { HeadWithPast } from '../../src/log/log.ts';

const events = Array.from(
  { length: 2_500 },
  (_, index): RecordedEvent => ({
    ...{ version: index + 1, eventId: `e${index + 1}`, type: 'chat-message', schema: 1, at: index, by: 1 },
    ...{ commandId: '', data: {} },
  }),
);
const page = async (_: number, after: number, limit: number) => events.slice(after, after + limit);
const each = async (_: number, versions: readonly number[]) =>
  events.filter(({ version }) => versions.includes(version));
const kept = { read: page, each, version: async () => events.length };

/** A log whose answer to `head` is what the test makes it. */
function changing(head: HeadWithPast | null) {
  const stub = { now: head, head: async () => stub.now, read: page };
  return stub;
}

const head = (version = events.length, epoch = 'a'): HeadWithPast => ({ version, epoch, past: new Map() });
const opened = async (...parts: Parameters<typeof workshopHistory>) => {
  const history = await workshopHistory(...parts).open(7);
  if (history === undefined) throw new Error('there is no such history');
  return history;
};
async function versionsOf(pages: AsyncIterable<RecordedEvent[]>): Promise<number[]> {
  const versions: number[] = [];
  for await (const each of pages) versions.push(...each.map(({ version }) => version));
  return versions;
}
const all = events.map(({ version }) => version);

describe('the history of a workshop', () => {
  it('is read from the log, up to the version at which it was opened', async () => {
    const history = await opened(changing(head(2_400)));
    expect(history).toMatchObject({ version: 2_400, epoch: 'a' });
    expect(await versionsOf(history.pages())).toEqual(all.slice(0, 2_400));
    expect(await versionsOf(history.pages(2_399))).toEqual([2_400]);
    expect(await history.read(2_400, 10)).toEqual([]);
  });

  it('is read where it is kept once the stream is gone', async () => {
    const history = await opened(changing(null), kept);
    expect(history).toMatchObject({ version: 2_500, epoch: '' });
    expect(await versionsOf(history.pages(10))).toEqual(all.slice(10));
  });

  it('goes on where it is kept when the stream goes away in the middle', async () => {
    const log = changing(head());
    const history = await opened(log, kept);
    const versions: number[] = [];
    for await (const each of history.pages()) {
      versions.push(...each.map(({ version }) => version));
      log.now = null;
    }
    expect(versions).toEqual(all);
  });

  it('is not put together from two epochs, unless nothing was lost between them', async () => {
    const log = changing(head());
    const history = await opened(log, kept);
    log.now = head(events.length, 'b');
    await expect(history.read(0, 10)).rejects.toMatchObject({ code: 'unavailable' });
    log.now = { ...head(events.length, 'b'), past: new Map([['a', events.length]]) };
    expect(await history.read(0, 10)).toHaveLength(10);
  });

  it('gives single events too, wherever they are kept', async () => {
    for (const log of [changing(head()), changing(null)]) {
      const history = await opened(log, kept);
      expect((await history.each([3, 1_700, 2_500])).map(({ version }) => version)).toEqual([
        3, 1_700, 2_500,
      ]);
      expect(await history.each([])).toEqual([]);
      await expect(history.each([2_500, 2_501])).rejects.toThrow();
    }
  });

  it('is not there where nothing is kept, and not whole where an event is missing', async () => {
    expect(await workshopHistory(changing(null)).open(7)).toBeUndefined();
    expect(
      await workshopHistory(changing(null), { ...kept, version: async () => 0 }).open(7),
    ).toBeUndefined();
    const gappy = { ...kept, version: async () => 5_000 };
    await expect(versionsOf((await opened(changing(null), gappy)).pages())).rejects.toThrow(
      /2501 was not kept/,
    );
  });
});
