/**
 * The room as it was: folded by the same `evolve` as the live one, from the newest snapshot before the moment, or from the
 * first event on where there is none to be had.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ResumedRoom } from '../../projections/snapshots/room.ts';
import { type Bound, resumed, type Snapshots } from '../../projections/snapshots/snapshots.ts';
import { evolve, evolveAll, type RecordedEvent } from '../domain/evolve.ts';
import { type ChatLine, chatKept, emptyRoom, type Room } from '../domain/room.ts';
import { readAll } from '../log/log.ts';
import { inTime } from '../timing/inTime.ts';
import type { OpenHistory } from './history.ts';
import type { Moment } from './moment.ts';

export type PastSnapshots = Pick<Snapshots, 'before'>;

export interface LookingBack {
  snapshots?: PastSnapshots | undefined;
  signal?: AbortSignal;
  /** Told of the version that was reached, now and then. */
  onProgress?(version: number): void;
}

/** What the present room knows better than a past one: what was deleted by now. */
export type Present = Pick<Room, 'deleted'>;

/** Snapshots that take longer than folding everything are no help. */
const patienceMs = 500;
/** Events to a page: between two of them others have their turn. */
const pageSize = 1_000;

/**
 * A copy of the workshop's room at that moment, with the last messages as they were sent: whoever shows it takes from the
 * present room what was deleted since (`asSeenNow`). Who wrote older messages is not in it. A time past the last event gives
 * the last state. Rejects as the history does, and with the signal's reason.
 */
export async function roomAt(
  history: OpenHistory,
  moment: Moment,
  { snapshots, signal, onProgress }: LookingBack = {},
): Promise<Room> {
  const bound: Bound = {
    version: history.version,
    ...('version' in moment ? { version: Math.min(moment.version, history.version) } : { at: moment.at }),
  };
  const { room, chat } = await beginning(history, bound, snapshots);
  const within = {
    read: (_: number, after: number, limit: number) =>
      history.read(after, Math.min(limit, bound.version - after)),
  };
  for await (const page of readAll(within, history.workshopId, room.version, pageSize)) {
    for (const event of page) {
      if (bound.at !== undefined && event.at > bound.at) return withChat(room, chat, history);
      evolve(room, event);
    }
    onProgress?.(room.version);
    // A log in this very process answers without letting anyone else have their turn.
    await nextTurn();
    signal?.throwIfAborted();
  }
  return withChat(room, chat, history);
}

/** The past room without what was deleted by now. */
export function asSeenNow(past: Room, { deleted }: Present): Room {
  return { ...past, deleted: new Set(deleted) };
}

async function beginning(
  history: OpenHistory,
  bound: Bound,
  snapshots: PastSnapshots | undefined,
): Promise<ResumedRoom> {
  const nothing = { room: emptyRoom(history.workshopId), chat: [] };
  if (snapshots === undefined) return nothing;
  // A database that is away shows in the node's health; here it costs time alone.
  const before: PastSnapshots['before'] = (...asked) =>
    inTime(snapshots.before(...asked), patienceMs, 'a snapshot').catch(() => undefined);
  return resumed({ before }, history, bound);
}

/** The messages from before the snapshot are read again: it has none of their texts. */
async function withChat(room: Room, before: readonly number[], history: OpenHistory): Promise<Room> {
  const missing = chatKept - room.chat.length;
  if (missing <= 0 || before.length === 0) return room;
  const lines = linesOf(await history.each(before.slice(-missing)));
  return { ...room, chat: [...lines, ...room.chat] };
}

/** What each of these events alone adds to a chat. */
function linesOf(events: readonly RecordedEvent[]): ChatLine[] {
  return events.flatMap((event) => {
    const alone = emptyRoom(0);
    alone.version = event.version - 1;
    evolveAll(alone, [event]);
    return alone.chat;
  });
}
