/** What runs, down to the last package, in the versions that are tested here: as CycloneDX, for scanners. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootManifest } from './manifest.js';

export function inventory(root) {
  // All that is installed: by itself npm leaves out what the tests' tools need too.
  const output = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx'], {
    ...{ cwd: root, encoding: 'utf8', maxBuffer: 100_000_000 },
  });
  const { metadata, components, dependencies, ...rest } = JSON.parse(output);
  const { name } = rootManifest(root);
  const running = runningIn(root);
  return {
    ...rest,
    metadata: { ...metadata, component: { ...metadata.component, name } },
    components: components.filter((each) => running.has(each['bom-ref'])),
    dependencies: dependencies
      .filter(({ ref }) => running.has(ref) || ref === metadata.component['bom-ref'])
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((on) => running.has(on)) })),
  };
}

/** `name@version` of each package that is needed by what runs, as the lock file knows it. */
function runningIn(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const running = Object.entries(packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  return new Set(running.map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`));
}
