/**
 * How the tests run: real servers (started once for each of the two parts, see `test/kit/global.ts`), one process for each file.
 * Files in which several nodes hold rooms, and time counts, come last and one at a time: they need the machine for themselves.
 */
import { defineConfig } from 'vitest/config';

const processes = ['test/faults/**', 'test/e2e/**', 'test/socket/**'].map((folder) => `${folder}/*.test.ts`);
const extend = { extends: true } as const;

export default defineConfig({
  test: {
    // Tests of the hooks choose jsdom in their first line: `// @vitest-environment jsdom`.
    environment: 'node',
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    globalSetup: 'test/kit/global.ts',
    setupFiles: ['test/kit/leaks.ts'],
    // The results as JSON are what `.ci/summary.js` counts.
    reporters: ['default', ['json', { outputFile: 'test/.results/vitest.json' }]],
    projects: [
      {
        ...extend,
        test: {
          name: 'parts',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: processes,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...extend,
        test: { name: 'processes', include: processes, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
