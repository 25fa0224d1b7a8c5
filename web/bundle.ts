/** Bundles the page in memory when a server starts: nothing is built beforehand, and nothing is written to disk. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { addressOf, licencesOf } from './licences.ts';

export interface BundledPage {
  /** With `{{basePath}}` where the path goes under which the server is reached, as `/rooms`. */
  html: string;
  /** By path (`/assets/page-1A2B3C4D.js`). The name changes with the content: it may be cached for good. */
  files: Map<string, BundledFile>;
}

export interface BundledFile {
  type: string;
  body: Uint8Array;
}

const types: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

let bundled: Promise<BundledPage> | undefined;

/** The page, bundled once per process. A failure is not remembered: the next call tries again. */
export function bundlePage(): Promise<BundledPage> {
  bundled ??= bundle().catch((error: unknown) => {
    bundled = undefined;
    throw error;
  });
  return bundled;
}

async function bundle(): Promise<BundledPage> {
  // Loaded when it is needed: processes that serve no page never start the bundler.
  const { build, stop } = await import('esbuild');
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const { outputFiles, metafile } = await build({
    metafile: true,
    absWorkingDir: folder,
    entryPoints: { page: './page.tsx', style: './style.css', icon: './icon.svg' },
    loader: { '.svg': 'copy' },
    entryNames: '[name]-[hash]',
    // What is loaded when it is looked at is a file of its own.
    splitting: true,
    chunkNames: '[name]-[hash]',
    outdir: '/assets',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  });
  // The bundler is a process of its own, of no use any more.
  await stop();

  const files = new Map<string, BundledFile>();
  let html = await readFile(new URL('./index.html', import.meta.url), 'utf8');
  for (const { path, contents } of outputFiles) {
    const [, kind, hash, ending] = /(\w+)-(\w+)\.(\w+)$/.exec(path) ?? [];
    const type = types[ending ?? ''];
    if (type === undefined) throw new Error(`the bundler made a file of no known type: ${path}`);
    const address = `/assets/${kind}-${hash}.${ending}`;
    files.set(address, { type, body: contents });
    html = html.replace(`{{${kind}}}`, address);
  }
  const licences = await licencesOf(Object.keys(metafile.inputs), folder);
  const address = addressOf(licences);
  files.set(address, { type: 'text/plain; charset=utf-8', body: new TextEncoder().encode(licences) });
  html = html.replace('{{licences}}', address);
  const preloads = neededBy(metafile).map(
    (path) => `<link rel="modulepreload" href="{{basePath}}/assets/${path}" />`,
  );
  return { html: html.replace('{{preloads}}', preloads.join('\n    ')), files };
}

/** What the page's own script imports: named in the document, it is fetched beside the script and not after it. */
function neededBy({ outputs }: Metafile): string[] {
  const needed = new Set(Object.keys(outputs).filter((path) => /\/page-\w+\.js$/.test(path)));
  const [entry] = needed;
  for (const path of needed)
    for (const { path: imported, kind } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement') needed.add(imported);
  return [...needed].filter((path) => path !== entry).map((path) => path.slice(path.lastIndexOf('/') + 1));
}
