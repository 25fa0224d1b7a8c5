/**
 * How the tests run: real servers, started once (`test/kit/global.ts`), and the files that take long first
 * (`test/kit/sequencer.ts`), three at a time: many of them wait for half of their time, and two cores are to be busy.
 */
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/kit/sequencer.ts';

/** Files that change what others would find in their process – modules, the globals of a window – or measure its memory. */
const apart = [
  'test/faults/twins.e2e.test.ts',
  'test/history/memory.test.ts',
  'test/hooks/*.test.tsx',
  'test/socket/readers.test.ts',
];

const maxWorkers = 3;

const each = {
  // Tests of the hooks choose jsdom in their first line: `// @vitest-environment jsdom`.
  environment: 'node',
  pool: 'forks',
  // As `test/kit/start.js` says.
  execArgv: ['--liftoff-only'] as string[],
  testTimeout: 20_000,
  hookTimeout: 30_000,
  setupFiles: 'test/kit/leaks.ts',
  maxWorkers,
} as const;

export default defineConfig({
  test: {
    globalSetup: 'test/kit/global.ts',
    sequence: { sequencer: LongestFirst },
    maxWorkers,
    // The results as JSON are what `.ci/summary.js` counts.
    reporters: ['default', ['json', { outputFile: 'test/.results/vitest.json' }]],
    projects: [
      // What a process has loaded it keeps for its next file: loading the server takes a second.
      {
        test: {
          ...each,
          name: 'together',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: apart,
          isolate: false,
        },
      },
      { test: { ...each, name: 'apart', include: apart } },
    ],
  },
});
