/** A line that one would not want to be wrong, and what has to fail where it is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Mutant {
  /** What happens where the line is broken. */
  endangers: string;
  /** The rule of docs/SPEC.md that is broken with it. */
  rule?: string;
  file: string;
  /** Is in the file exactly once. */
  text: string;
  becomes: string;
  /** Files of which a test has to fail. */
  tests: readonly string[];
  /** What the titles of these tests match; all of the files count where it is left out. */
  titled?: string;
}

/** Why an entry is of no use any more, found without running anything; undefined where it is as it should be. */
export function faultOf({ endangers, file, text, tests }: Mutant, root: string): string | undefined {
  const outdated = (why: string) => `${endangers}: ${why}; update the entry in test/mutants/lines`;
  const missing = [file, ...tests].find((path) => !existsSync(join(root, path)));
  if (missing !== undefined) return outdated(`there is no ${missing}`);
  const times = readFileSync(join(root, file), 'utf8').split(text).length - 1;
  return times === 1 ? undefined : outdated(`its text is ${times} times in ${file}`);
}
