/**
 * What went on in each stretch of `bucketMs` since a workshop went live. What was before has offset 0, as everywhere, and so
 * belongs to the first one. Of present, hands and speakers a bucket has the highest number that held in it.
 */
import { isOver, type Room } from '../domain/room.ts';
import type { CurrentEvent } from '../domain/upcast.ts';
import { isOf } from './following.ts';

export interface Bucket {
  offsetMs: number;
  present: number;
  /** Messages that are not deleted. */
  chat: number;
  handsUp: number;
  /** Present and allowed to speak. */
  speakers: number;
}

/** Where something stood highest, and the event at which it first did so. */
export interface Peak {
  value: number;
  version: number;
  at: number;
}

export interface Peaks {
  present: Peak;
  handsUp: Peak;
  /** In one bucket; the event is the bucket's first message. */
  chat: Peak;
}

export interface Series {
  /** Empty where the workshop was never live. */
  buckets: Bucket[];
  peaks: Peaks;
}

export interface SeriesFold {
  /** `said`: the event is a message that counts. */
  watch(event: CurrentEvent, room: Room, said: boolean): void;
  /** Once, at the end. */
  series(room: Room, until: number): Series;
}

interface Gauge {
  present: number;
  handsUp: number;
  speakers: number;
}

interface Entry extends Gauge {
  chat: number;
  /** Of the bucket's first message. */
  first: Pick<Peak, 'version' | 'at'>;
}

const none: Peak = { value: 0, version: 0, at: 0 };

export function seriesFold(bucketMs: number): SeriesFold {
  const entries: Entry[] = [];
  const speaking = new Set<number>();
  let gauge: Gauge = { present: 0, handsUp: 0, speakers: 0 };
  let present = none;
  let handsUp = none;
  let isDone = false;

  /** Up to the bucket of a moment; what held before holds in each one as it begins. */
  function entryAt(at: number, { startedAt }: Room): Entry {
    const index = startedAt === null ? 0 : Math.floor((at - startedAt) / bucketMs);
    let entry = entries[index];
    while (entry === undefined) {
      entries.push({ ...gauge, chat: 0, first: none });
      entry = entries[index];
    }
    return entry;
  }

  function look(event: CurrentEvent, room: Room): void {
    const userId = personOf(event);
    if (userId !== undefined) {
      const speaks = room.present.has(userId) && room.members.get(userId)?.canSpeak === true;
      if (speaks) speaking.add(userId);
      else speaking.delete(userId);
    }
    gauge = { present: room.present.size, handsUp: room.hands.size, speakers: speaking.size };
  }

  return {
    watch(event, room, said) {
      if (isDone) return;
      // Who comes before the doors open waits outside of every bucket.
      if (room.status === 'scheduled') return look(event, room);
      const entry = entryAt(event.at, room);
      if (said) {
        if (entry.chat === 0) entry.first = event;
        entry.chat++;
      }
      if (isOf(event, 'chat-message')) return;
      isDone = isOver(room);
      if (isDone) return;
      look(event, room);
      raise(entry, gauge);
      present = higher(present, gauge.present, event);
      handsUp = higher(handsUp, gauge.handsUp, event);
    },
    series(room, until) {
      if (room.startedAt === null) return { buckets: [], peaks: { present, handsUp, chat: none } };
      entryAt(until, room);
      // A moment at the very end of the last bucket belongs to it.
      const count = Math.max(1, Math.ceil((until - room.startedAt) / bucketMs));
      for (const beyond of entries.splice(count)) join(entries[count - 1], beyond);
      const buckets = entries.map(({ present, chat, handsUp, speakers }, index) => ({
        ...{ offsetMs: index * bucketMs, present, chat, handsUp, speakers },
      }));
      return { buckets, peaks: { present, handsUp, chat: busiest(entries) } };
    },
  };
}

function raise(entry: Gauge, { present, handsUp, speakers }: Gauge): void {
  entry.present = Math.max(entry.present, present);
  entry.handsUp = Math.max(entry.handsUp, handsUp);
  entry.speakers = Math.max(entry.speakers, speakers);
}

function join(entry: Entry | undefined, beyond: Entry): void {
  if (entry === undefined) return;
  if (entry.chat === 0) entry.first = beyond.first;
  entry.chat += beyond.chat;
  raise(entry, beyond);
}

function busiest(entries: readonly Entry[]): Peak {
  let peak = none;
  for (const { chat, first } of entries) peak = higher(peak, chat, first);
  return peak;
}

function higher(peak: Peak, value: number, { version, at }: Pick<Peak, 'version' | 'at'>): Peak {
  return value > peak.value ? { value, version, at } : peak;
}

/** Whose presence or right to speak the event may have changed. */
function personOf({ data }: CurrentEvent): number | undefined {
  if (typeof data !== 'object' || data === null || !('userId' in data)) return undefined;
  return typeof data.userId === 'number' ? data.userId : undefined;
}
