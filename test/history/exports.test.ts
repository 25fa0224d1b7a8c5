/** What is taken away of a workshop, read back by parsers that are not ours. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { exportName, exportText, refusalOf, type Wish } from '../../src/history/exports.ts';
import { wireContextOf } from '../../src/history/following.ts';
import { formulaSafe, readingMs, timestamp } from '../../src/history/formats.ts';
import {
  ana,
  approved,
  bo,
  deleted,
  ended,
  hanna,
  joined,
  left,
  opened,
  removed,
  rex,
  rsvped,
  said,
  scheduled,
  started,
} from '../domain/cast.ts';
import { workshopId } from '../domain/given.ts';
import { isoMinute, minute, paged, told } from './told.ts';
import { cuesOf } from './vttParser.ts';

const wish = (change: Partial<Wish>): Wish => ({
  ...{ what: 'chat', format: 'csv', raw: false, intervals: false },
  ...change,
});

async function exported(
  events: readonly RecordedEvent[],
  change: Partial<Wish>,
  now = minute(1_000),
): Promise<string> {
  const context = await wireContextOf(paged(events));
  let text = '';
  const source = { workshopId, pages: paged(events), now, context: async () => context };
  for await (const piece of exportText(source, wish(change))) text += piece;
  return text;
}

const rows = (text: string): Record<string, string>[] =>
  parse(text, { columns: true, record_delimiter: '\r\n' });
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const workshop = told(
  [0, scheduled(), rsvped(ana), rsvped(bo), rsvped(rex)], // 1–4
  [5, joined(bo)], // 5
  [8, left(bo)], // 6: before the doors opened
  [10, opened, joined(hanna)], // 7, 8
  [12, joined(ana), said(ana, 'early')], // 9, 10
  [20, started], // 11
  [25, left(ana)], // 12
  [30, joined(ana), joined(rex)], // 13, 14
  [31, said(rex, 'rude')], // 15
  [32, removed(rex), deleted(15, hanna)], // 16, 17
  [35, approved(ana), said(ana, 'Two\nlines, "quoted"')], // 18, 19
  [40, ended], // 20
);

describe('attendance', () => {
  it('[A7] has one line a person who was there, with time in the room and its share of the live time', async () => {
    expect(lines(await exported(workshop, { what: 'attendance', format: 'ndjson' }))).toEqual([
      {
        ...{ userId: 1, displayName: 'Hanna Host', role: 'host' },
        ...{ firstJoinedAt: isoMinute(10), lastLeftAt: isoMinute(40) },
        ...{ minutesPresent: 30, sharePresent: 1, rejoins: 0 },
      },
      {
        ...{ userId: 5, displayName: 'Ana', role: 'speaker' },
        ...{ firstJoinedAt: isoMinute(12), lastLeftAt: isoMinute(40) },
        ...{ minutesPresent: 23, sharePresent: 0.75, rejoins: 1 },
      },
      {
        ...{ userId: 8, displayName: 'Rex Removed', role: 'attendee' },
        ...{ firstJoinedAt: isoMinute(30), lastLeftAt: isoMinute(32) },
        ...{ minutesPresent: 2, sharePresent: 0.1, rejoins: 0 },
      },
    ]);
    const [first] = rows(await exported(workshop, { what: 'attendance' }));
    expect(first).toEqual({
      ...{ userId: '1', displayName: 'Hanna Host', role: 'host', firstJoinedAt: isoMinute(10) },
      ...{ lastLeftAt: isoMinute(40), minutesPresent: '30', sharePresent: '1', rejoins: '0' },
    });
  });

  it('[A8] has every stay as an interval, those under way without an end', async () => {
    const intervals = { what: 'attendance', intervals: true } as const;
    expect(rows(await exported(workshop, intervals))).toEqual([
      { userId: '6', joinedAt: isoMinute(5), leftAt: isoMinute(8), minutes: '3' },
      { userId: '5', joinedAt: isoMinute(12), leftAt: isoMinute(25), minutes: '13' },
      { userId: '8', joinedAt: isoMinute(30), leftAt: isoMinute(32), minutes: '2' },
      { userId: '1', joinedAt: isoMinute(10), leftAt: isoMinute(40), minutes: '30' },
      { userId: '5', joinedAt: isoMinute(30), leftAt: isoMinute(40), minutes: '10' },
    ]);
    const running = lines(
      await exported(workshop.slice(0, -1), { ...intervals, format: 'ndjson' }, minute(38)),
    );
    expect(running.slice(-2)).toEqual([
      { userId: 1, joinedAt: isoMinute(10), leftAt: null, minutes: 28 },
      { userId: 5, joinedAt: isoMinute(30), leftAt: null, minutes: 8 },
    ]);
    const sofar = lines(
      await exported(workshop.slice(0, -1), { what: 'attendance', format: 'ndjson' }, minute(38)),
    );
    expect(sofar[0]).toMatchObject({ lastLeftAt: null, minutesPresent: 28, sharePresent: 1 });
  });

  it('of a workshop that nobody came to is a header, or nothing', async () => {
    const empty = workshop.slice(0, 4);
    expect(await exported(empty, { what: 'attendance' })).toBe(
      'userId,displayName,role,firstJoinedAt,lastLeftAt,minutesPresent,sharePresent,rejoins\r\n',
    );
    expect(await exported(empty, { what: 'attendance', format: 'ndjson' })).toBe('');
    expect(await exported(empty, { format: 'vtt' })).toBe('WEBVTT\n\n');
    const lobby = told([0, scheduled(), opened, joined(hanna)]);
    const [line] = lines(await exported(lobby, { what: 'attendance', format: 'ndjson' }));
    expect(line).toMatchObject({ sharePresent: null });
  });
});

describe('the chat', () => {
  it('[A9] is one row a message, with its offset and without the text of the deleted', async () => {
    const text = await exported(workshop, {});
    expect(text).not.toContain('rude');
    expect(rows(text)).toEqual([
      {
        ...{ id: '10', at: isoMinute(12), offsetMs: '0', userId: '5', displayName: 'Ana' },
        ...{ message: 'early', deleted: 'false' },
      },
      {
        ...{ id: '15', at: isoMinute(31), offsetMs: '660000', userId: '8', displayName: 'Rex Removed' },
        ...{ message: '', deleted: 'true' },
      },
      {
        ...{ id: '19', at: isoMinute(35), offsetMs: '900000', userId: '5', displayName: 'Ana' },
        ...{ message: 'Two\nlines, "quoted"', deleted: 'false' },
      },
    ]);
    expect(lines(await exported(workshop, { format: 'ndjson' }))[1]).toEqual({
      ...{ id: 15, at: isoMinute(31), offsetMs: 660_000, userId: 8, displayName: 'Rex Removed' },
      ...{ message: null, deleted: true },
    });
  });

  it('[A10] is WebVTT on the offset of the workshop, a cue for each message', async () => {
    expect(await exported(workshop, { format: 'vtt' })).toBe(
      [
        'WEBVTT\n',
        '10\n00:00:00.000 --> 00:00:02.250\n<v Ana>early\n',
        '15\n00:11:00.000 --> 00:11:02.000\n<v Rex Removed><i>deleted</i>\n',
        '19\n00:15:00.000 --> 00:15:02.950\n<v Ana>Two\nlines, "quoted"\n\n',
      ].join('\n'),
    );
    expect(timestamp(123 * 3_600_000 + 4 * 60_000 + 5_006)).toBe('123:04:05.006');
    expect(readingMs('🧶'.repeat(1_000))).toBe(10_000);
  });
});

describe('events', () => {
  it('[A11] are the items of the history, with their data as JSON', async () => {
    const items = lines(await exported(workshop, { what: 'events', format: 'ndjson' }));
    expect(items.map(({ version }) => version)).toEqual(workshop.map(({ version }) => version));
    expect(items[14].data).toMatchObject({ id: 15, offset_ms: 660_000, message: null, deleted: true });
    const read = rows(await exported(workshop, { what: 'events', raw: true }));
    expect(
      read.map(({ data = '', version, schema, ...row }) => ({
        ...row,
        ...{ version: Number(version), schema: Number(schema), data: JSON.parse(data) },
      })),
    ).toEqual(items);
    expect(JSON.stringify(items) + JSON.stringify(read)).not.toContain('rude');
  });
});

const hostile = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  '  =1',
  '＝1+1',
  '＋1',
  '－1',
  '＠x',
  'a,=1',
  'a;=1',
  'a\t=1',
  'a\n=1',
  'a","=1',
  "a';'=1",
  "=cmd|' /C calc'!A0",
  'a;=HYPERLINK("http://x","y")',
];

describe('a spreadsheet', () => {
  const begins = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u;
  /** The cells that a reader finds who splits where we did not. */
  const misread = (text: string) => text.split(/[,;\t\r\n"]/);

  it.each(hostile)('[S33] finds no formula in %j, and what was written is still in it', async (text) => {
    const safe = formulaSafe(text);
    expect(safe).not.toMatch(begins);
    for (const cell of misread(safe)) expect(cell).not.toMatch(/^[=+\-@＝＋－＠]/u);
    expect(safe.replaceAll("'", '')).toBe(text.replaceAll("'", ''));
    const events = told([
      0,
      scheduled(),
      started,
      joined(hanna),
      said({ ...hanna, displayName: text }, text),
    ]);
    for (const what of ['chat', 'events'] as const) {
      const [header = [], ...cells]: string[][] = parse(await exported(events, { what }));
      for (const row of cells) {
        expect(row).toHaveLength(header.length);
        for (const cell of row) expect(cell).not.toMatch(begins);
      }
    }
    const raw = rows(await exported(events, { raw: true }));
    expect(raw[0]).toMatchObject({ displayName: text, message: text });
  });

  it('[S33] gets numbers as numbers, ordinary text as it is, and JSON that is JSON', async () => {
    for (const text of ['Hello, Ben', '5 - 3 = 2', 'a-b', 'x@example.org', '"yes"', "it's", 'ünïcode 🧶', ''])
      expect(formulaSafe(text)).toBe(text);
    const events = told([0, scheduled(), started, joined(hanna), said(hanna, '="1",=2\n-3')]);
    const { data = '' } = rows(await exported(events, { what: 'events' })).at(-1) ?? {};
    expect(JSON.parse(data)).toMatchObject({ id: 4, offset_ms: 0, message: "'=\"1\",'=2\n'-3" });
  });

  it('[S33] any text at all is harmless as it is, and unchanged when it is asked for raw', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'=+-@\t\r\n"\',;<>&a ＝🧶'), minLength: 1 });
    await fc.assert(
      fc.asyncProperty(text, async (message) => {
        expect(formulaSafe(message)).not.toMatch(begins);
        const events = told([0, scheduled(), started, joined(hanna), said(hanna, message)]);
        expect(rows(await exported(events, { raw: true }))[0]?.message).toBe(message);
        expect(rows(await exported(events, {}))[0]?.message).toBe(formulaSafe(message));
      }),
    );
  });
});

describe('subtitles', () => {
  const texts = [
    '<b>bold</b>',
    'a --> b',
    'x\n\n00:00:01.000 --> 00:00:02.000\nforged',
    '&amp;',
    '<v Host>I',
    '\n\nNOTE x',
  ];

  it.each(texts)('[S33] hold %j as text', async (text) => {
    const events = told(
      [0, scheduled(), started, joined(hanna)],
      [1, said({ ...hanna, displayName: text }, text)],
      [2, said(hanna, 'after')],
    );
    const vtt = await exported(events, { format: 'vtt' });
    const cues = cuesOf(vtt);
    expect(cues.map(({ id }) => id)).toEqual(['4', '5']);
    expect(cues[0]).toMatchObject({ start: 60_000, voice: text.replace(/\s+/g, ' ').trim() });
    expect(cues[0]?.text.replace(/\s+/g, ' ')).toBe(text.replace(/\s+/g, ' '));
    expect(cues[1]).toMatchObject({ start: 120_000, voice: 'Hanna Host', text: 'after' });
  });
});

it('says what there is where there is no such export, and names files after what is in them', () => {
  expect(refusalOf(wish({ what: 'events', format: 'vtt' }))).toMatch(
    /vtt is for chat alone; events.*csv and ndjson/,
  );
  expect(refusalOf(wish({ what: 'chat', intervals: true }))).toMatch(/attendance/);
  expect(refusalOf(wish({ what: 'chat', format: 'vtt' }))).toBeUndefined();
  expect(exportName(41, wish({ format: 'vtt' }))).toBe('workshop-41-chat.vtt');
  expect(exportName(41, wish({ what: 'attendance', intervals: true }))).toBe(
    'workshop-41-attendance-intervals.csv',
  );
});
