/**
 * Lets joins in at the pace that the node keeps up with: so many at once, the others wait in the order of coming. A thousand who
 * come together are then many small groups, each told to those inside, instead of one that stops the node for seconds.
 */
import { performance } from 'node:perf_hooks';

export interface Admission {
  /** Resolves when it is one's turn, or at once where that would take too long. Never rejects. */
  enter(): Promise<Turn>;
}

/** `done` gives the place to the next one, and may be called again. */
export type Turn = { ok: true; done(): void } | { ok: false; retryAfterMs: number };

export interface AdmissionSettings {
  /** Joins under way at once. */
  atOnce: number;
  /** How long one may wait, in milliseconds. */
  patienceMs: number;
  /** After this long a join no longer counts as under way: one that hangs must not keep others out. */
  placeMs: number;
}

/** Measured, two thousand into one room: 1.25 s with 64 at once, 1.4 s with 32, 1.6 s with 128. */
export const admissionSettings: AdmissionSettings = {
  atOnce: 64,
  patienceMs: 10_000,
  placeMs: 2_000,
};

interface Waiting {
  since: number;
  settle(turn: Turn): void;
}

export function admission(settings: AdmissionSettings): Admission {
  const { atOnce, patienceMs, placeMs } = settings;
  let underWay = 0;
  let line: Waiting[] = [];
  /** Milliseconds from one admission out of the line to the next, as they were of late. */
  let pace = 0;
  let admittedAt = 0;
  let impatience: NodeJS.Timeout | undefined;

  function begin(): Turn {
    underWay++;
    let over = false;
    const done = () => {
      if (over) return;
      over = true;
      clearTimeout(late);
      underWay--;
      next();
    };
    const late = setTimeout(done, placeMs).unref();
    return { ok: true, done };
  }

  function next(): void {
    const first = line.shift();
    if (first === undefined) return;
    const now = performance.now();
    pace = 0.9 * pace + 0.1 * (now - admittedAt);
    admittedAt = now;
    first.settle(begin());
    watch();
  }

  /** Whoever is first in the line has waited longest. */
  function watch(): void {
    clearTimeout(impatience);
    const [first] = line;
    if (first === undefined || patienceMs === Number.POSITIVE_INFINITY) return;
    impatience = setTimeout(sendAway, Math.max(0, first.since + patienceMs - performance.now()));
  }

  function sendAway(): void {
    const longest = performance.now() - patienceMs;
    const late = line.filter(({ since }) => since <= longest);
    line = line.slice(late.length);
    for (const { settle } of late) settle(later());
    watch();
  }

  /** Spread over the time that the line needs, so that they do not come back together. */
  function later(): Turn {
    const spread = Math.max(2_000, line.length * pace);
    return { ok: false, retryAfterMs: Math.round(1_000 + Math.random() * spread) };
  }

  return {
    enter() {
      if (underWay < atOnce) return Promise.resolve(begin());
      if (line.length * pace > patienceMs) return Promise.resolve(later());
      if (line.length === 0) admittedAt = performance.now();
      return new Promise((settle) => {
        line.push({ since: performance.now(), settle });
        if (line.length === 1) watch();
      });
    },
  };
}
