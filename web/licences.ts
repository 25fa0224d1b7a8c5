/** The licences of the packages that the pages are made of: each asks to be handed on with copies of its code. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A text with the name, the version and the licence of each. `inputs` are files, as seen from the folder. Rejects where one has none. */
export async function licencesOf(inputs: readonly string[], folder: string): Promise<string> {
  const places = new Set(inputs.flatMap((input) => packageOf(resolve(folder, input))));
  const texts = await Promise.all([...places].sort().map(licenceIn));
  return `The pages of workshop-rooms are made with:\n\n${texts.join('\n\n')}`;
}

/** The folder of the package that a file belongs to; none for our own. */
function packageOf(file: string): string[] {
  const [found] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? [];
  return found === undefined ? [] : [found];
}

async function licenceIn(place: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(place, 'package.json'), 'utf8'));
  const file = (await readdir(place)).find((each) => /^licen[cs]e(\.|$)/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence to hand on`);
  const text = await readFile(join(place, file), 'utf8');
  return `## ${name} ${version}\n\n${text.trim()}`;
}

/** Changes with the text, so that it may be kept for good. */
export function addressOf(text: string): string {
  return `/assets/licences-${createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase()}.txt`;
}
