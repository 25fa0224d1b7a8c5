/** Folding page by page: what becomes of events that were given up, of entries that can't be read, and of what is deleted later. */
import { describe, expect, test } from 'vitest';
import {
  type Deletions,
  deletionsOf,
  type FoldedPage,
  foldedPages,
  withDeletions,
} from '../../../projections/fold/pages.ts';
import type { Skips } from '../../../projections/fold/skips.ts';
import { type Step, stepsOf } from '../../../projections/fold/source.ts';
import { emptyState } from '../../../projections/fold/state.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { event, scheduledEvent } from '../story.ts';

const at = Date.parse('2026-05-01T09:00:00.000Z');
const chat = (message: string) =>
  event('chat-message', { userId: 1, displayName: 'P1', avatarUrl: null, message }, at);
const deleted = (id: number, time = at + 1) => event('chat-deleted', { id, by: 1 }, time);
const unfoldable = event('user-joined', null, at);

const history = (...events: RecordedEvent[]): RecordedEvent[] =>
  [scheduledEvent(at), ...events].map((each, index) => ({ ...each, version: index + 1 }));

/** A log in which the entries at these versions can't be parsed. */
function source(events: RecordedEvent[], ...broken: number[]) {
  return {
    async read(_: number, after: number, limit: number) {
      const found = events.filter(({ version }) => version > after).slice(0, limit);
      if (found.some(({ version }) => broken.includes(version))) throw new SyntaxError('broken');
      return found;
    },
  };
}

interface Folding {
  skips?: Skips;
  deletions?: Deletions;
  upTo?: number;
}

async function folded(
  steps: AsyncIterable<Step>,
  { skips = new Map(), deletions = new Map(), ...rest }: Folding = {},
) {
  const pages: FoldedPage[] = [];
  const state = emptyState(7);
  for await (const page of foldedPages({ state, epoch: 'a', steps, skips, deletions, ...rest }))
    pages.push(page);
  return pages;
}

/** `rows 1–3`, `skipped 4`, `unfoldable 5`. */
const brief = (pages: FoldedPage[]) =>
  pages.map((page) => {
    if (page.kind === 'rows') return `rows ${page.after + 1}–${page.to}`;
    return page.kind === 'skipped' ? `skipped ${page.version}` : `${page.what} ${page.version}`;
  });

const givenUp = (...events: Pick<RecordedEvent, 'version' | 'eventId'>[]): Skips =>
  new Map(events.map(({ version, eventId }) => [version, { eventId, by: 'user 7' }]));

describe('folding page by page', () => {
  test('gives rows for each page, up to the version that is asked for', async () => {
    const events = history(chat('one'), chat('two'), chat('three'), chat('four'));
    expect(brief(await folded(stepsOf(source(events), 7, 0, 2)))).toEqual([
      'rows 1–2',
      'rows 3–4',
      'rows 5–5',
    ]);
    expect(brief(await folded(stepsOf(source(events), 7, 0, 2), { upTo: 3 }))).toEqual([
      'rows 1–2',
      'rows 3–3',
    ]);
  });

  test('passes over what was given up, and over nothing else at its version', async () => {
    const events = history(chat('one'), unfoldable, chat('two'));
    const skips = givenUp({ version: 3, eventId: unfoldable.eventId });
    const steps = () => stepsOf(source(events), 7, 0, 10);
    expect(brief(await folded(steps(), { skips }))).toEqual(['rows 1–2', 'skipped 3', 'rows 4–4']);
    expect(brief(await folded(steps(), { skips: givenUp({ version: 3, eventId: 'another' }) }))).toEqual([
      'unfoldable 3',
    ]);
  });

  test('goes on after an entry that cannot be read only where it was given up', async () => {
    const events = history(chat('one'), chat('two'), chat('three'));
    const steps = () => stepsOf(source(events, 3), 7, 0, 10);
    expect(brief(await folded(steps()))).toEqual(['rows 1–1', 'rows 2–2', 'unreadable 3']);
    const skips: Skips = new Map([[3, { eventId: null, by: 'user 7' }]]);
    expect(brief(await folded(steps(), { skips }))).toEqual([
      'rows 1–1',
      'rows 2–2',
      'skipped 3',
      'rows 4–4',
    ]);
  });

  test('ends at a version that is missing', async () => {
    const events = history(chat('one'), chat('two'), chat('three')).filter(({ version }) => version !== 3);
    const pages = await folded(stepsOf(source(events), 7, 0, 2));
    expect(brief(pages)).toEqual(['rows 1–2', 'gap 4']);
    expect(pages.at(-1)).toMatchObject({ after: 2 });
  });

  test('[D6] a message that a later page deletes has no text from the beginning', async () => {
    const events = history(chat('the secret'), chat('two'), deleted(2), deleted(2, at + 5), deleted(3));
    const skips = givenUp({ version: 6, eventId: events[5]?.eventId ?? '' });
    const steps = () => stepsOf(source(events), 7, 0, 2);
    const deletions = await deletionsOf(steps(), skips);
    expect([...deletions]).toEqual([[2, at + 1]]);
    const pages = await folded(steps(), { skips, deletions });
    expect(JSON.stringify(pages)).not.toContain('secret');
    const rows = pages.flatMap((page) =>
      page.kind === 'rows' ? withDeletions(page.changes.chat, deletions) : [],
    );
    expect(rows).toMatchObject([
      { id: 2, message: null, deletedAt: at + 1 },
      { id: 3, message: 'two', deletedAt: null },
    ]);
  });
});
