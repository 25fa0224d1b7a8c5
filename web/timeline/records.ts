/** What the server computes of a workshop: its curves and marks, and who took part. */
import { useEffect, useState } from 'react';
import type { Engagement } from '../../src/history/engagement.ts';
import type { Timeline } from '../../src/history/timeline.ts';
import { call } from '../shared/api.ts';

export type { HandWait, Participant } from '../../src/history/engagement.ts';
export type { Mark } from '../../src/history/marks.ts';
export type { Bucket } from '../../src/history/series.ts';
export type Curves = Timeline;

export interface Records extends Pick<Engagement, 'people' | 'hands'> {
  curves: Curves;
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
    call<Engagement>('GET', `${path}/engagement`),
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
