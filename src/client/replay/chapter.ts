/**
 * A workshop's events in chapters of a thousand: what a replay holds of it, fetches and forgets as a piece. Within one the room is
 * folded from the nearest view that is kept, so that any moment of it is some hundred events away.
 *
 * ```
 *   versions     1 … 1,000      1,001 … 2,000     2,001 … 3,000
 *   chapters   ├──── 0 ────┤  ├───── 1 ─────┤   ├───── 2 ─────┤     each begins with the view before its first event
 * ```
 */
import type { LooseEvent } from '../../protocol/wire.ts';
import { applyEvent, type RoomView } from '../roomView.ts';

export const chapterSize = 1_000;
/** A view is kept for every so many events. */
const viewEvery = 100;

/** An event with its time in milliseconds since 1970 beside it. */
export interface TimedEvent {
  event: LooseEvent;
  ms: number;
}

export interface Chapter {
  index: number;
  /** From version `index * chapterSize + 1` on, without a gap. */
  events: TimedEvent[];
  /** By version: the first is the view before the first event. */
  views: Map<number, RoomView>;
}

export function chapterOf(version: number): number {
  return Math.floor((Math.max(1, version) - 1) / chapterSize);
}

export function newChapter(index: number, before: RoomView, events: TimedEvent[]): Chapter {
  return { index, events, views: new Map([[before.version, before]]) };
}

/** The version before its first event. */
export function firstOf({ index }: Chapter): number {
  return index * chapterSize;
}

/** The version of its last event so far. */
export function lastOf(chapter: Chapter): number {
  return firstOf(chapter) + chapter.events.length;
}

export function eventAt(chapter: Chapter, version: number): TimedEvent | undefined {
  return chapter.events[version - firstOf(chapter) - 1];
}

/** The version of its last event up to that time; the one before its first where none is. */
export function versionAt({ events, index }: Chapter, ms: number): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle] as TimedEvent).ms <= ms) low = middle + 1;
    else high = middle;
  }
  return index * chapterSize + low;
}

/** The room after that version, which the chapter holds; `near` is a view to go on from, if it is nearer than what is kept. */
export function viewAt(chapter: Chapter, version: number, near?: RoomView | null): RoomView {
  const { views } = chapter;
  const nearest = nearestKept(chapter, version);
  let view = near && near.version <= version && near.version > nearest.version ? near : nearest;
  while (view.version < version) {
    const next = eventAt(chapter, view.version + 1);
    const after = next && applyEvent(view, next.event);
    if (after === undefined) throw new Error(`a replay has no version ${view.version + 1}`);
    view = after;
    if (view.version % viewEvery === 0 && !views.has(view.version)) views.set(view.version, view);
  }
  return view;
}

function nearestKept({ views, index }: Chapter, version: number): RoomView {
  for (let kept = version - (version % viewEvery); kept > index * chapterSize; kept -= viewEvery) {
    const view = views.get(kept);
    if (view !== undefined) return view;
  }
  return views.get(index * chapterSize) as RoomView;
}
