/** `workshop-rooms-client`: for browsers and Node, with socket.io-client and nothing else. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { common, entrance, rootManifest } from '../manifest.js';
import { rollUpTypes } from '../types.js';
import { eventTypes } from './eventTypes.js';

const entries = { index: 'src/client/index.ts', react: 'src/hooks/react.ts' };

export function clientManifest(root) {
  const manifest = rootManifest(root);
  return {
    name: 'workshop-rooms-client',
    description: 'Live workshop rooms for browsers, React and Node',
    ...common(manifest),
    sideEffects: false,
    exports: {
      '.': entrance('index'),
      './react': entrance('react'),
      './package.json': './package.json',
    },
    files: ['dist', 'CHANGELOG.md'],
    dependencies: { 'socket.io-client': manifest.dependencies['socket.io-client'] },
    peerDependencies: { react: '^18.0.0 || ^19.0.0' },
    peerDependenciesMeta: { react: { optional: true } },
  };
}

export async function buildClient(root, folder) {
  const outdir = join(folder, 'dist');
  await build({
    absWorkingDir: root,
    ...{ entryPoints: entries, outdir, chunkNames: '[name]-[hash]' },
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'neutral', target: 'es2022' },
    ...{ packages: 'external', jsx: 'automatic', logLevel: 'warning' },
  });
  // Hooks run in the browser: a page that is rendered on a server may import them all the same.
  const react = join(outdir, 'react.js');
  writeFileSync(react, `'use client';\n${readFileSync(react, 'utf8')}`);
  const standIn = join(folder, '..', 'eventTypes.ts');
  writeFileSync(standIn, eventTypes(root));
  await rollUpTypes({ root, entries, outdir, instead: { 'domain/catalog.ts': standIn } });
  rmSync(standIn);
}
