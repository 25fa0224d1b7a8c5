/** The code of the README's four doors, as it stands there. */
import { readFileSync } from 'node:fs';

const readme = new URL('../../README.md', import.meta.url);

export type Door =
  | 'Run it as a service'
  | 'Attach it to a server that you have'
  | 'Use it from your front end'
  | 'Analyse what happened';

export function doorOf(door: Door): string {
  const [, after = ''] = readFileSync(readme, 'utf8').split(`**${door}**`);
  const [, code] = /```\w+\n([\s\S]*?)```/.exec(after) ?? [];
  if (code === undefined) throw new Error(`the README has no door “${door}”`);
  return code;
}
