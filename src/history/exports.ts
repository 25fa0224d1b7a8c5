/**
 * What can be taken away of a workshop, and in which forms: one text, made page by page as it is read. REST and the command
 * line write the same.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { current } from '../domain/upcast.ts';
import { chatView, historyEvent, type WireContext } from '../protocol/wire.ts';
import { type AttendanceLine, attendanceList } from './attendance.ts';
import { isOf, type Pages } from './following.ts';
import { type ChatRow, csv, ndjson, vttCue, vttHead, type Writer } from './formats.ts';
import { type Interval, intervals } from './stays.ts';

export const exportKinds = ['attendance', 'chat', 'events'] as const;
export const exportFormats = ['csv', 'ndjson', 'vtt'] as const;

export interface Wish {
  what: (typeof exportKinds)[number];
  format: (typeof exportFormats)[number];
  /** Of CSV: texts as they are, also where a spreadsheet would take them for formulas. */
  raw: boolean;
  /** Of attendance: every stay instead of one line a person. */
  intervals: boolean;
}

export interface ExportSource {
  workshopId: number;
  pages: Pages;
  /** Milliseconds since 1970; stays under way are counted up to then. */
  now: number;
  /** Asked after each page. Not asked for attendance. */
  context(): Promise<WireContext>;
}

/** Why there is no such export, with what there is instead; undefined where there is one. */
export function refusalOf({ what, format, intervals }: Wish): string | undefined {
  if (format === 'vtt' && what !== 'chat')
    return `format: vtt is for chat alone; ${what} is to be had as csv and ndjson`;
  if (intervals && what !== 'attendance') return `intervals: ${what} has none; they belong to attendance`;
  return undefined;
}

/** `workshop-41-chat.csv` */
export function exportName(workshopId: number, { what, format, intervals }: Wish): string {
  return `workshop-${workshopId}-${what}${intervals ? '-intervals' : ''}.${format}`;
}

/** Piece by piece; the wish is one that `refusalOf` does not refuse. */
export function exportText(source: ExportSource, wish: Wish): AsyncGenerator<string> {
  const { pages, context } = source;
  switch (wish.what) {
    case 'attendance':
      return wish.intervals
        ? written(intervals(pages, source), tableOf(wish, columns.intervals))
        : written(attendancePages(source), tableOf(wish, columns.attendance));
    case 'chat':
      return written(
        chatRows(pages, context),
        wish.format === 'vtt' ? subtitles : tableOf(wish, columns.chat),
      );
    case 'events':
      return written(eventRows(source), tableOf(wish, columns.events));
  }
}

type EventRow = ReturnType<typeof historyEvent>;
type Columns<R> = readonly (keyof R & string)[];

const columns = {
  attendance: [
    ...(['userId', 'displayName', 'role', 'firstJoinedAt', 'lastLeftAt'] as const),
    ...(['minutesPresent', 'sharePresent', 'rejoins'] as const),
  ] satisfies Columns<AttendanceLine>,
  intervals: ['userId', 'joinedAt', 'leftAt', 'minutes'] satisfies Columns<Interval>,
  chat: [
    ...(['id', 'at', 'offsetMs', 'userId', 'displayName', 'message', 'deleted'] as const),
  ] satisfies Columns<ChatRow>,
  events: [
    ...(['version', 'eventId', 'type', 'schema', 'at', 'by', 'commandId', 'data'] as const),
  ] satisfies Columns<EventRow>,
};

const subtitles: Writer<ChatRow> = { head: vttHead, lines: (rows) => rows.map(vttCue).join('') };

function tableOf<R>({ format, raw }: Wish, columns: Columns<R>): Writer<R> {
  return format === 'csv' ? csv(columns, { raw }) : ndjson();
}

async function* eventRows({ pages, context }: ExportSource): AsyncGenerator<EventRow[]> {
  for await (const page of pages) {
    const now = await context();
    yield page.map((event) => historyEvent(event, now));
  }
}

const linesAtOnce = 500;

async function* attendancePages(source: ExportSource): AsyncGenerator<AttendanceLine[]> {
  const lines = await attendanceList(source.pages, source);
  for (let done = 0; done < lines.length; done += linesAtOnce) yield lines.slice(done, done + linesAtOnce);
}

/** The head goes with the first rows: where those cannot be read, nothing was said yet. */
async function* written<R>(rows: AsyncIterable<R[]>, { head, lines }: Writer<R>): AsyncGenerator<string> {
  let ahead = head;
  for await (const page of rows) {
    if (page.length > 0) {
      yield ahead + lines(page);
      ahead = '';
    }
    // A log in memory is read without ever waiting: others get their turn here.
    await nextTurn();
  }
  if (ahead !== '') yield ahead;
}

/** `context` is asked after each page, so that what is deleted meanwhile is not in what follows. */
async function* chatRows(pages: Pages, context: () => Promise<WireContext>): AsyncGenerator<ChatRow[]> {
  for await (const page of pages) {
    const now = await context();
    const rows: ChatRow[] = [];
    for (const stored of page) {
      const event = current(stored);
      if (!isOf(event, 'chat-message')) continue;
      const { version, at, data } = event;
      const view = chatView(now, { id: version, at, ...data });
      const { id, offset_ms: offsetMs, userId, displayName, message } = view;
      const deleted = view.deleted === true;
      rows.push({ id, at: view.createdAt, offsetMs, userId, displayName, message, deleted });
    }
    yield rows;
  }
}
