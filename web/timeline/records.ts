/** What the server computes of a workshop: its curves and marks, and who took part. */
import { useEffect, useState } from 'react';
import { call } from '../shared/api.ts';

export interface Bucket {
  offsetMs: number;
  present: number;
  chat: number;
  handsUp: number;
  speakers: number;
}

export interface Mark {
  version: number;
  offsetMs: number;
  type: string;
  label: string;
}

export interface Curves {
  bucketMs: number;
  series: Bucket[];
  marks: Mark[];
  totals: {
    uniqueAttendees: number;
    peakPresent: number;
    averageMinutesPresent: number | null;
    messages: number;
    handsRaised: number;
    medianHandWaitMs: number | null;
    p90HandWaitMs: number | null;
    spokeUpShare: number | null;
  };
}

export interface Participant {
  userId: number;
  displayName: string | null;
  role: 'host' | 'co-host' | 'speaker' | 'attendee';
  minutesPresent: number;
  sharePresent: number | null;
  messages: number;
  handsRaised: number;
  approvals: number;
}

export interface HandWait {
  version: number;
  userId: number;
  displayName: string | null;
  offsetMs: number;
  waitMs: number;
  outcome: 'approved' | 'lowered' | 'left' | 'removed' | 'ended' | 'waiting';
}

export interface Records {
  curves: Curves;
  people: Participant[];
  hands: HandWait[];
}

/** So many points to a curve: more than that no screen shows. */
const points = 600;
const refreshMs = 10_000;
const retryMs = 3_000;

/** null until they are there. Read anew while the workshop goes on. */
export function useRecords(workshopId: number, durationMs: number | null, isOpen: boolean): Records | null {
  const [records, setRecords] = useState<Records | null>(null);
  // Of a workshop that goes on the length grows with every picture: buckets stay as they are until it is half as long again.
  const bucketMs = durationMs === null ? null : bucketFor(durationMs);
  useEffect(() => {
    if (bucketMs === null) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const go = async () => {
      const read = await readRecords(workshopId, bucketMs);
      if (isOver) return;
      if (read !== null) setRecords(read);
      if (read === null || isOpen) timer = setTimeout(() => void go(), read === null ? retryMs : refreshMs);
    };
    void go();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [workshopId, bucketMs, isOpen]);
  return records;
}

async function readRecords(workshopId: number, bucketMs: number): Promise<Records | null> {
  const path = `/api/workshops/${workshopId}`;
  const [curves, engaged] = await Promise.all([
    call<Curves>('GET', `${path}/timeline?bucketMs=${bucketMs}`),
    call<Omit<Records, 'curves'>>('GET', `${path}/engagement`),
  ]);
  if (!curves.ok || !engaged.ok) return null;
  return { curves: curves.value, people: engaged.value.people, hands: engaged.value.hands };
}

/** A length that people know, of which there are at most `points` and at least some thirty. */
const lengths = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 86_400];

export function bucketFor(durationMs: number): number {
  const least = durationMs / points / 1_000;
  const seconds = lengths.find((length) => length >= least) ?? Math.ceil(least);
  return seconds * 1_000;
}
