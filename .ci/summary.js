/**
 * Counts the results that vitest wrote as JSON and prints them as the last line: `N passed, N failed, N skipped`. Exit code 1
 * where something failed, nothing passed, or there are no results.
 */
import { readFileSync } from 'node:fs';

const counts = count(read(process.argv[2]));
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    console.error(`no results of the tests: ${error.message}`);
    return { testResults: [] };
  }
}

function count({ testResults }) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of testResults) {
    const statuses = file.assertionResults.map((test) => test.status);
    const failed = statuses.filter((status) => status === 'failed').length;
    const passed = statuses.filter((status) => status === 'passed').length;
    // A file may fail without a test of it: it can't be loaded, or it left something open.
    counts.failed += failed === 0 && file.status === 'failed' ? 1 : failed;
    counts.passed += passed;
    counts.skipped += statuses.length - failed - passed;
  }
  return counts;
}
