/**
 * The compiled form of the sources: made by esbuild when it is first needed and again when a source has changed, so that there is no
 * build step to remember and none to forget. It lies in `dist/`, beside the sources, under a name that is the hash of what it was
 * made of. Nothing outside the project's own folder is executed: whoever could write there could write the sources too.
 * Where that folder can't be written to and holds nothing that fits, it is compiled in memory at each start.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pageIn, writePage } from './page.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** All that the compiled program is made of, files and folders: the page bundles what is installed. */
const sources = [
  'bin/compiled.js',
  'bin/page.js',
  'package.json',
  'src',
  'projections',
  'web',
  'node_modules/.package-lock.json',
];
const entries = { main: 'src/cli/main.ts', bundle: 'web/bundle.ts' };
/** Older ones that are left, for processes that still run them. */
const kept = 3;

/** The command line's entrance, and the page that it serves. */
export async function compiled() {
  const name = hashOf(sources);
  const folder = join(root, 'dist', name);
  if (!existsSync(folder) && !(await compileTo(folder))) return inMemory(name);
  process.setSourceMapsEnabled(true);
  const { main } = await import(pathToFileURL(join(folder, 'main.js')).href);
  return { main, page: async () => pageIn(join(folder, 'page')) };
}

/** Compiles the program into `dist/`, whether or not it is needed now: for images, whose server can't write there. */
export async function compile() {
  const folder = join(root, 'dist', hashOf(sources));
  if (!existsSync(folder) && !(await compileTo(folder)))
    throw new Error(`${dirname(folder)} cannot be written to`);
  return folder;
}

function hashOf(names) {
  const hash = createHash('sha256').update(`${process.versions.node.split('.')[0]}`);
  for (const file of names.flatMap(filesOf))
    hash.update(`\n${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

function filesOf(name) {
  const path = join(root, name);
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [name];
  return readdirSync(path)
    .sort()
    .flatMap((each) => filesOf(`${name}/${each}`));
}

/** False where the folder can't be written to. Made under another name and renamed: it is there as a whole or not at all. */
async function compileTo(folder) {
  const making = `${folder}.${randomUUID()}`;
  try {
    mkdirSync(making, { recursive: true });
  } catch {
    return false;
  }
  try {
    await build({ outdir: making, write: true, sourcemap: 'linked' });
    const { bundlePage } = await import(pathToFileURL(join(making, 'bundle.js')).href);
    writePage(join(making, 'page'), await bundlePage());
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    // Another process was in time.
    if (existsSync(folder)) return true;
    throw error;
  }
  dropOld(dirname(folder));
  return true;
}

async function build(output) {
  const { build, stop } = await import('esbuild');
  try {
    return await build({
      absWorkingDir: root,
      entryPoints: entries,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      chunkNames: '[name]-[hash]',
      plugins: [sourcesAt('../..')],
      logLevel: 'silent',
      ...output,
    });
  } finally {
    // The compiler is a process of its own, of no use any more.
    await stop();
  }
}

/** Modules look for files beside themselves: in the compiled form that is still beside their source, in this folder seen from there. */
export const sourcesAt = (folder) => ({
  name: 'where-sources-lie',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const file = relative(root, path).split(sep).join('/');
      const contents = readFileSync(path, 'utf8')
        .replaceAll(
          'import.meta.url',
          `new URL(${JSON.stringify(`${folder}/${file}`)}, import.meta.url).href`,
        )
        .replaceAll(
          'import.meta.dirname',
          `(import.meta.dirname + ${JSON.stringify(`/${folder}/${dirname(file)}`)})`,
        );
      return { contents, loader: 'ts' };
    });
  },
});

function dropOld(dist) {
  // What others are making has a dot in its name, and may be gone at any moment.
  const made = readdirSync(dist)
    .filter((name) => !name.includes('.'))
    .map((name) => ({
      path: join(dist, name),
      at: statSync(join(dist, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
    .sort((one, other) => other.at - one.at);
  for (const { path } of made.slice(kept + 1)) rmSync(path, { recursive: true, force: true });
}

/** The modules come from memory, at the addresses that they would have on disk. */
async function inMemory(name) {
  const outdir = join(root, 'dist', name);
  const { outputFiles } = await build({ outdir, write: false, sourcemap: 'inline' });
  const modules = outputFiles.map(({ path, text }) => [pathToFileURL(path).href, text]);
  register(`data:text/javascript,${encodeURIComponent(loader)}`, { data: new Map(modules) });
  process.setSourceMapsEnabled(true);
  const { main } = await import(pathToFileURL(join(outdir, 'main.js')).href);
  const { bundlePage } = await import(pathToFileURL(join(outdir, 'bundle.js')).href);
  return { main, page: bundlePage };
}

const loader = `
let modules;
export function initialize(data) { modules = data; }
export async function resolve(specifier, context, next) {
  const url = /^\\.|^file:/.test(specifier) && new URL(specifier, context.parentURL).href;
  return url && modules.has(url) ? { url, shortCircuit: true } : next(specifier, context);
}
export async function load(url, context, next) {
  const source = modules.get(url);
  return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
}`;
