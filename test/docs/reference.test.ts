/** The reference against the definitions that it is generated from, and against the files that speak of the same things. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outdated } from '../../docs/generate.ts';
import { composeOnly, variablesOf } from '../../docs/source/configuration.ts';
import { readConfig } from '../../src/config.ts';
import { commandNames, commandOf, eventTypes } from '../../src/domain/catalog.ts';
import { metrics } from '../../src/observe/metrics.ts';
import { errorCodes } from '../../src/protocol/errors.ts';
import { wireName } from '../../src/protocol/wire.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The first cells of a page's tables, as far as they are code. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)`/gm)].flatMap(([, cell]) => cell ?? []);
}

describe('the reference', () => {
  test('is what the definitions say: otherwise run npm run docs', async () => {
    expect(await outdated()).toEqual([]);
  });

  test('has every command of the sockets and every event, each under its wire name', () => {
    const headings = (path: string) => [...read(path).matchAll(/^## `(.+)`$/gm)].map(([, name]) => name);
    const bySocket = commandNames.filter((name) => commandOf(name).via === 'socket');
    expect(headings('docs/reference/commands.md')).toEqual(bySocket.map(wireName));
    expect(headings('docs/reference/events.md')).toEqual(eventTypes.map(wireName));
  });

  test('has every error code and every metric', async () => {
    expect(firstCells(read('docs/reference/errors.md'))).toEqual(errorCodes);
    const own = metrics()
      .registry.getMetricsAsArray()
      .map(({ name }) => name);
    expect(firstCells(read('docs/reference/metrics.md'))).toEqual(
      own.filter((name) => name.startsWith('workshop_')),
    );
  });

  test('a page that is not current is named by --check, which ends with 1', () => {
    const copy = mkdtempSync(join(tmpdir(), 'docs-'));
    try {
      for (const part of [
        'docs',
        'src',
        'projections',
        'test/golden',
        '.env.example',
        'package.json',
        'tsconfig.json',
      ])
        cpSync(join(root, part), join(copy, part), { recursive: true });
      symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
      const check = () =>
        spawnSync(
          process.execPath,
          ['--import', join(root, 'test/kit/sources.js'), 'docs/generate.ts', '--check'],
          {
            cwd: copy,
            encoding: 'utf8',
          },
        );
      expect(check()).toMatchObject({ status: 0, stderr: '' });
      writeFileSync(join(copy, 'docs/reference/errors.md'), '# Error codes\n');
      expect(check()).toMatchObject({
        status: 1,
        stderr: 'docs/reference/errors.md is not current: run npm run docs\n',
      });
    } finally {
      rmSync(copy, { recursive: true });
    }
  }, 60_000);
});

describe('the variables of the configuration', () => {
  const shown = variablesOf(read('.env.example'));
  const names = shown.map(({ name }) => name).sort();

  test('are the same in .env.example and in the reference', () => {
    expect(firstCells(read('docs/reference/configuration.md')).sort()).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
  });

  test('are those that the program reads', () => {
    const known = [...read('src/config.ts').matchAll(/^ {2}([A-Z][A-Z_]+): /gm)].map(([, name]) => name);
    expect([...known, ...composeOnly].filter((name) => name !== 'NODE_ENV').sort()).toEqual(names);
  });

  test('have the defaults that .env.example shows', () => {
    const defaults: Record<string, unknown> = { ...readConfig({}) };
    for (const { name, shown: value, text } of shown) {
      const fallback = defaults[name];
      if (fallback === undefined || Array.isArray(fallback) || text.includes('Default: ')) continue;
      expect(`${name}=${value}`).toBe(`${name}=${fallback}`);
    }
  });
});
