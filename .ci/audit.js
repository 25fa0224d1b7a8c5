/**
 * Asks npm for advisories against the packages that the server runs on. Exit code 1 where there is one. A registry that does not
 * answer says nothing about them: then this says so, and fails nothing.
 */
import { spawnSync } from 'node:child_process';

const asked = spawnSync('npm', ['audit', '--omit=dev', '--json', '--package-lock-only'], {
  encoding: 'utf8',
  timeout: 60_000,
});
const report = read(asked.stdout);
if (report?.metadata === undefined) {
  console.log('advisories: unknown, npm audit was not answered');
} else {
  const named = Object.values(report.vulnerabilities ?? {}).map(
    ({ name, severity }) => `${name} (${severity})`,
  );
  console.log(`advisories: ${named.length === 0 ? 'none' : named.join(', ')}`);
  process.exitCode = named.length === 0 ? 0 : 1;
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
