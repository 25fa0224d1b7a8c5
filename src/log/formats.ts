/**
 * The numbers of what is stored: a store says which form it has, a program which forms it reads. Compared before anything is
 * written, so that a program that is too old for a store changes nothing in it.
 */

/** What a version of the program knows. */
export interface Forms {
  /** As people are told: `layout`, `format`. */
  word: string;
  /** What it writes: the number of a store that it makes. */
  written: number;
  /** What it reads. */
  oldest: number;
  newest: number;
}

/** Throws an Error whose message is one line: what was found, what this version reads, and what to do. */
export function requireReadable(store: string, found: unknown, { word, oldest, newest }: Forms): void {
  const number = Number(found);
  if (Number.isInteger(number) && number >= oldest && number <= newest) return;
  const range = oldest === newest ? `${word} ${newest}` : `${word}s ${oldest} to ${newest}`;
  const remedy = number < oldest ? 'run an older version of it first' : 'upgrade the program';
  throw new Error(
    `${store} has ${word} ${found ?? 'unknown'}; this version of the program reads ${range}: ${remedy}`,
  );
}
