/** What both manifests have of the root's, and the dependencies in the versions that are tested here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function rootManifest(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}

export function common({ version, license, engines }) {
  return { version, license, type: 'module', engines };
}

/** An entrance, with its types beside it. */
export function entrance(name) {
  return { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` };
}
