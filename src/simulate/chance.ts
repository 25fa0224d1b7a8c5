/** Chance that can be repeated: the same seed gives the same numbers, on every machine. */

export interface Chance {
  /** From 0 to below 1, all equally likely. */
  next(): number;
  between(low: number, high: number): number;
  /** A whole number, both ends included. */
  whole(low: number, high: number): number;
  happens(share: number): boolean;
  normal(mean: number, deviation: number): number;
  exponential(mean: number): number;
  of<T>(list: readonly T[]): T;
  /** One of those that suit, found by drawing: undefined where so few do that none turned up. */
  suiting<T>(list: readonly T[], suits: (each: T) => boolean): T | undefined;
  /** So many different ones, or all where there are no more, in the order of the list. */
  some<T>(list: readonly T[], count: number): T[];
  /** Chance of its own for one matter: what is drawn there moves nothing elsewhere. */
  branch(matter: string): Chance;
}

export function chance(seed: number): Chance {
  let state = seed | 0;

  // mulberry32, by Tommy Ettinger: 32 bits of state, good enough for people.
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  const between = (low: number, high: number) => low + next() * (high - low);
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));

  return {
    next,
    between,
    whole,
    happens: (share) => next() < share,
    // Box and Muller's transform.
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    exponential: (mean) => -mean * Math.log(1 - next()),
    of: (list) => chosen(list, whole(0, list.length - 1)),
    suiting(list, suits) {
      for (let draw = 0; draw < draws && list.length > 0; draw++) {
        const drawn = chosen(list, whole(0, list.length - 1));
        if (suits(drawn)) return drawn;
      }
      return undefined;
    },
    some(list, count) {
      // Each is taken with the chance that makes the rest come out right (Knuth's algorithm S).
      let wanted = Math.min(count, list.length);
      let left = list.length;
      return list.filter(() => {
        const taken = next() * left < wanted;
        left--;
        if (taken) wanted--;
        return taken;
      });
    },
    branch: (matter) => chance(seed ^ hash(matter)),
  };
}

/** How often `suiting` draws: where one in ten suits, it finds one in 99 of 100 cases. */
const draws = 50;

function chosen<T>(list: readonly T[], index: number): T {
  if (list.length === 0) throw new RangeError('there is nothing to choose from');
  return list[index] as (typeof list)[number];
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (const char of text) sum = Math.imul(sum ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return sum;
}
