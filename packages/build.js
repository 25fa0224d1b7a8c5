/**
 * `npm run build`: the two packages, out of the sources as they lie, each as a folder and as a tarball in `out/`. Nothing that runs
 * from a clone needs this: see docs/decisions/0006-compiled-beside-the-sources.md.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildClient, clientManifest } from './client/build.js';
import { inventory } from './inventory.js';
import { buildServer, serverManifest } from './server/build.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Where they go, if not there. */
const out = resolve(process.argv[2] ?? join(root, 'out'));

const packages = [
  { manifest: serverManifest(root), build: buildServer, readme: 'packages/server/README.md' },
  { manifest: clientManifest(root), build: buildClient, readme: 'packages/client/README.md' },
];

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'workshop-rooms.cdx.json'), `${JSON.stringify(inventory(root), null, 2)}\n`);
for (const { manifest, build, readme } of packages) {
  const folder = join(out, manifest.name);
  mkdirSync(folder, { recursive: true });
  await build(root, folder);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, readme), join(folder, 'README.md'));
  for (const file of ['LICENSE', 'CHANGELOG.md']) cpSync(join(root, file), join(folder, file));
  // What a package is made of is what was put there: nothing of it runs a script.
  execFileSync('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', out], {
    ...{ cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  });
  console.log(join(out, `${manifest.name}-${manifest.version}.tgz`));
}
