/** `workshop-rooms`: server, command line, page and migrations, compiled. What it needs at run time npm brings. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { compile, sourcesAt } from '../../bin/compiled.js';
import { common, entrance, rootManifest } from '../manifest.js';
import { rollUpTypes } from '../types.js';

/** They make the page, which is in the package as it is served. */
const forThePage = ['esbuild', 'react', 'react-dom', '@tanstack/react-virtual', 'uplot'];
/** What modules look for beside themselves. */
const assets = ['src/log/redis', 'projections/migrations', 'projections/database'];

export function serverManifest(root) {
  const manifest = rootManifest(root);
  const dependencies = Object.entries(manifest.dependencies).filter(([name]) => !forThePage.includes(name));
  return {
    name: 'workshop-rooms',
    description: manifest.description,
    ...common(manifest),
    bin: { workshop: 'bin/workshop.js' },
    exports: { '.': entrance('index'), './package.json': './package.json' },
    files: ['bin', 'dist', 'page', 'assets', 'CHANGELOG.md'],
    dependencies: Object.fromEntries(dependencies),
    peerDependencies: manifest.peerDependencies,
    peerDependenciesMeta: manifest.peerDependenciesMeta,
  };
}

export async function buildServer(root, folder) {
  await build({
    absWorkingDir: root,
    entryPoints: { index: 'src/index.ts', main: 'src/cli/main.ts' },
    outdir: join(folder, 'dist'),
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    packages: 'external',
    // In one folder, all as far from the assets.
    chunkNames: '[name]-[hash]',
    plugins: [withoutBundler, sourcesAt('../assets')],
    logLevel: 'warning',
  });
  for (const asset of assets) copyAssets(root, folder, asset);
  cpSync(join(await compile(), 'page'), join(folder, 'page'), { recursive: true });
  cpSync(join(root, 'packages/server/bin'), join(folder, 'bin'), { recursive: true });
  for (const file of ['workshop.js', 'page.js']) cpSync(join(root, 'bin', file), join(folder, 'bin', file));
  await rollUpTypes({ root, entries: { index: 'src/index.ts' }, outdir: join(folder, 'dist') });
}

/** The page is handed over by `bin/compiled.js`, and never bundled. */
const withoutBundler = {
  name: 'without-bundler',
  setup({ onLoad }) {
    const contents =
      "export const bundlePage = () => Promise.reject(new Error('the page is in the package'));";
    onLoad({ filter: /web[\\/]bundle\.ts$/ }, () => ({ contents, loader: 'js' }));
  },
};

/** All but the sources, where they are looked for. */
function copyAssets(root, folder, asset) {
  cpSync(join(root, asset), join(folder, 'assets', asset), {
    recursive: true,
    filter: (path) => !/\.ts$|migrations.meta.*snapshot\.json$/.test(path),
  });
}
