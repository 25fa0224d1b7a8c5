/**
 * What a replay knows of a workshop's history: chapters, fetched as they are needed, the latest used of them kept, and the newest one
 * growing while the workshop goes on.
 */
import type { StateView } from '../../protocol/wire.ts';
import { applyEvent, type RoomView, roomView } from '../roomView.ts';
import {
  type Chapter,
  chapterOf,
  chapterSize,
  eventAt,
  firstOf,
  lastOf,
  newChapter,
  type TimedEvent,
  versionAt,
  viewAt,
} from './chapter.ts';
import type { Ask } from './rest.ts';

/** Chapters that are held: some 10 MB. */
const held = 32;

export interface Past {
  /** Of the workshop, as far as it is known here. */
  readonly lastVersion: number;
  /** The chapter that holds that moment, if it is there and certain to. */
  around(ms: number): Chapter | undefined;
  /** The chapter of that version, if it is there. */
  holding(version: number): Chapter | undefined;
  event(version: number): TimedEvent | undefined;
  /** Fetches it, once for all who ask at a time. */
  chapter(index: number, signal: AbortSignal): Promise<Chapter>;
  /** Fetches what playing on from that version needs, so many chapters ahead, and the chapter before for whoever goes back. */
  prepare(version: number, ahead: number, signal: AbortSignal): Promise<void>;
  /** The room at that moment, folded by the server: for moments that no chapter is there for. */
  stateAt(ms: number, signal: AbortSignal): Promise<RoomView>;
  /** What came since; whether anything did. The first call tells how long the workshop is. */
  follow(signal: AbortSignal): Promise<boolean>;
  /** The newest room, as of the last time that something came. */
  readonly newest: RoomView | null;
  /** Without what was deleted since it was fetched. */
  asSeenNow(view: RoomView): RoomView;
}

/** A page of `GET …/events`, as far as it matters here. */
interface HistoryPage {
  items: { version: number; type: string; at: string; data: Record<string, unknown> }[];
  nextAfter: number | null;
}

export function workshopPast(workshopId: number, ask: Ask): Past {
  const path = `/api/workshops/${workshopId}`;
  const chapters = new Map<number, Chapter>();
  const underWay = new Map<number, { fetching: Promise<Chapter>; signal: AbortSignal }>();
  const deleted = new Set<number>();
  let newest: RoomView | null = null;

  // What comes is our own server's: the shape follows from the route.
  const state = async (query: string, signal: AbortSignal) =>
    roomView((await ask(`${path}/state${query}`, signal)) as StateView);
  const eventsAfter = async (after: number, signal: AbortSignal) => {
    const page = (await ask(`${path}/events?after=${after}&limit=${chapterSize}`, signal)) as HistoryPage;
    return page.items.map(timedEvent);
  };

  function touch(chapter: Chapter): Chapter {
    chapters.delete(chapter.index);
    chapters.set(chapter.index, chapter);
    return chapter;
  }

  function keep(chapter: Chapter): Chapter {
    touch(chapter);
    for (const [index] of chapters) {
      if (chapters.size <= held) break;
      chapters.delete(index);
    }
    return chapter;
  }

  /** The view before its first event: at hand where the chapter before is whole. */
  function before(index: number, signal: AbortSignal): RoomView | Promise<RoomView> {
    if (index === 0) return beginning(workshopId);
    const previous = chapters.get(index - 1);
    if (previous?.events.length === chapterSize) return viewAt(previous, index * chapterSize);
    return state(`?version=${index * chapterSize}`, signal);
  }

  async function fetchChapter(index: number, signal: AbortSignal): Promise<Chapter> {
    const [view, events] = await Promise.all([
      before(index, signal),
      eventsAfter(index * chapterSize, signal),
    ]);
    // Events that came meanwhile are in it already; those after the last known one come with the next look.
    return keep(newChapter(index, view, events));
  }

  function event(version: number): TimedEvent | undefined {
    const chapter = chapters.get(chapterOf(version));
    return chapter && eventAt(chapter, version);
  }

  async function chapter(index: number, signal: AbortSignal): Promise<Chapter> {
    const known = chapters.get(index);
    const isComplete = known?.events.length === chapterSize;
    if (known !== undefined && (isComplete || lastOf(known) >= (newest?.version ?? 0))) return touch(known);
    const asked = underWay.get(index);
    if (asked !== undefined && !asked.signal.aborted) return asked.fetching;
    const fetching = fetchChapter(index, signal).finally(() => {
      if (underWay.get(index)?.signal === signal) underWay.delete(index);
    });
    underWay.set(index, { fetching, signal });
    return fetching;
  }

  function append(timed: TimedEvent): void {
    const { version } = timed.event;
    const index = chapterOf(version);
    const chapter = chapters.get(index);
    if (chapter !== undefined) {
      if (lastOf(chapter) === version - 1) chapter.events.push(timed);
      return;
    }
    const previous = chapters.get(index - 1);
    if (version === index * chapterSize + 1 && previous?.events.length === chapterSize)
      keep(newChapter(index, viewAt(previous, version - 1), [timed]));
  }

  return {
    get lastVersion() {
      return newest?.version ?? 0;
    },
    get newest() {
      return newest;
    },
    around(ms) {
      for (const chapter of chapters.values()) {
        const version = versionAt(chapter, ms);
        // Before its first event, or after its last one: whose that moment is, its neighbour tells.
        if (version === firstOf(chapter) && chapter.index > 0) continue;
        if (version < lastOf(chapter) || version >= (newest?.version ?? 0)) return touch(chapter);
        const next = chapters.get(chapter.index + 1)?.events[0];
        if (next !== undefined && next.ms > ms) return touch(chapter);
      }
      return undefined;
    },
    holding(version) {
      return event(version) && touch(chapters.get(chapterOf(version)) as Chapter);
    },
    event,
    chapter,
    async prepare(version, ahead, signal) {
      const last = newest?.version ?? 0;
      const index = chapterOf(Math.min(version + 1, last));
      // One after the other: beside a neighbour that is there a chapter needs no state of its own.
      for (let one = index; one <= Math.min(index + ahead, chapterOf(last)); one++)
        await chapter(one, signal);
      if (index > 0) await chapter(index - 1, signal);
    },
    stateAt: (ms, signal) => state(`?at=${Math.round(ms)}`, signal),
    async follow(signal) {
      if (newest === null) {
        newest = await state('', signal);
        return true;
      }
      const known = newest.version;
      for (;;) {
        const events = await eventsAfter(newest.version, signal);
        if (events.length === 0) return newest.version > known;
        for (const timed of events) {
          append(timed);
          if (timed.event.type === 'chat-deleted') deleted.add(Number(timed.event.id));
        }
        newest = events.reduce<RoomView>((view, { event }) => applyEvent(view, event) ?? view, newest);
      }
    },
    asSeenNow(view) {
      if (!view.chat.some(({ id, message }) => message !== null && deleted.has(id))) return view;
      const chat = view.chat.map((line) =>
        deleted.has(line.id) ? { ...line, message: null, deleted: true as const } : line,
      );
      return { ...view, chat };
    },
  };
}

function timedEvent({ version, type, at, data }: HistoryPage['items'][number]): TimedEvent {
  return { event: { ...data, version, type, at }, ms: Date.parse(at) };
}

/** The room before its first event. */
function beginning(workshopId: number): RoomView {
  return {
    ...{ workshopId, version: 0, epoch: '', status: 'scheduled', title: '', scheduledAt: '' },
    ...{ hostId: 0, coHostIds: [], startedAt: null, endedAt: null },
    ...{ attendees: [], attendeeCount: 0, raisedHands: [], chat: [] },
  };
}
