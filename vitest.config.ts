/** How the tests run: real servers (started once, see `test/kit/global.ts`), one process for each file, two at a time. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Tests of the hooks choose jsdom in their first line: `// @vitest-environment jsdom`.
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    globalSetup: 'test/kit/global.ts',
    setupFiles: ['test/kit/leaks.ts'],
    // The results as JSON are what `.ci/summary.js` counts.
    reporters: ['default', ['json', { outputFile: 'test/.results/vitest.json' }]],
  },
});
