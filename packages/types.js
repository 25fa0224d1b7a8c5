/** The declarations of a package's entrances, each rolled up into one file: nothing of our folders is to be seen in them. */
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

/**
 * `entries` by name; `instead` names, for imports that end so, another file that is read, such as types that are told without the
 * library from which they are derived.
 */
export async function rollUpTypes({ root, entries, outdir, instead = {} }) {
  const bundle = await rolldown({
    cwd: root,
    input: entries,
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('\0'),
    plugins: [standIns(instead), ...dts({ emitDtsOnly: true, tsconfig: 'tsconfig.json' })],
    checks: { pluginTimings: false },
    logLevel: 'warn',
  });
  await bundle.write({ dir: outdir, format: 'es', chunkFileNames: '[name].d.ts' });
  await bundle.close();
}

function standIns(instead) {
  const found = (id) => Object.entries(instead).find(([end]) => id.endsWith(end))?.[1];
  return {
    name: 'stand-ins',
    resolveId: {
      order: 'pre',
      handler(id, importer, options) {
        const other = found(id);
        return other === undefined ? null : this.resolve(other, importer, { ...options, skipSelf: true });
      },
    },
  };
}
