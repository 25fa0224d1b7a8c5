/**
 * `npm run docs`: writes the reference from the definitions. `npm run docs -- --check` writes nothing, and fails with the
 * name of each file that is not what the definitions say.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandsPage } from './source/commands.ts';
import { configurationPage } from './source/configuration.ts';
import { databaseUrlPage } from './source/databaseUrl.ts';
import { errorsPage } from './source/errors.ts';
import { eventsPage } from './source/events.ts';
import { limitsPage } from './source/limits.ts';
import { metricsPage } from './source/metrics.ts';

const root = join(import.meta.dirname, '..');

const pages: Record<string, () => string | Promise<string>> = {
  'commands.md': commandsPage,
  'events.md': eventsPage,
  'errors.md': errorsPage,
  'configuration.md': () => configurationPage(root),
  'database-url.md': databaseUrlPage,
  'limits.md': limitsPage,
  'metrics.md': metricsPage,
};

/** The generated files, by absolute path. */
export async function reference(): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  for (const [name, page] of Object.entries(pages))
    made.set(join(root, 'docs/reference', name), await page());
  return made;
}

/** Files that are not what the definitions say, relative to the root. */
export async function outdated(): Promise<string[]> {
  const differing = [...(await reference())].filter(([path, text]) => read(path) !== text);
  return differing.map(([path]) => relative(root, path));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function main(words: readonly string[]): Promise<void> {
  if (words.includes('--check')) {
    const files = await outdated();
    for (const file of files) process.stderr.write(`${file} is not current: run npm run docs\n`);
    process.exitCode = files.length > 0 ? 1 : 0;
    return;
  }
  for (const [path, text] of await reference()) {
    if (read(path) === text) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    process.stdout.write(`wrote ${relative(root, path)}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
