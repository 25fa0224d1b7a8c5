/**
 * A process that runs tests in a tree of its own, again and again, with one Redis and one Postgres for all of them. What is told
 * of the tree – which files changed since, which tests to run – comes from `run.ts`; what became of it goes back there.
 */
import { createVitest, type TestModule } from 'vitest/node';

/** Test files, and what the titles of the tests that count match; all of them where there is none. */
export interface Asked {
  files: readonly string[];
  titles?: string | undefined;
  /** Files that are not what they were at the last time. */
  changed: readonly string[];
}

export interface Told {
  passed: { file: string; title: string }[];
  failed: { file: string; title: string; message: string }[];
  /** What failed without being a test: a file that does not load, a hook. */
  faults: string[];
}

const vitest = await createVitest('test', {
  watch: false,
  passWithNoTests: true,
  // Whoever asked tells what came of it.
  reporters: [{}],
});

process.on('message', async (asked: Asked) => tell(await run(asked)));
process.on('disconnect', () => void vitest.close().finally(() => process.exit()));

async function run({ files, titles, changed }: Asked): Promise<Told> {
  for (const file of changed) vitest.invalidateFile(file);
  if (titles === undefined) vitest.resetGlobalTestNamePattern();
  else vitest.setGlobalTestNamePattern(new RegExp(titles));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(
    await vitest.globTestSpecifications([...files]),
  );
  const told: Told = { passed: [], failed: [], faults: unhandledErrors.map(textOf) };
  // Modules of earlier runs are among them.
  for (const module of testModules) if (files.includes(module.relativeModuleId)) add(module, told);
  return told;
}

function add(module: TestModule, { passed, failed, faults }: Told): void {
  const file = module.relativeModuleId;
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result();
    const title = test.fullName;
    if (state === 'passed') passed.push({ file, title });
    if (state === 'failed') failed.push({ file, title, message: (errors ?? []).map(textOf).join('; ') });
  }
  for (const suite of [module, ...module.children.allSuites()])
    faults.push(...suite.errors().map((error) => `${file}: ${textOf(error)}`));
}

function textOf(error: unknown): string {
  const { message } = error as { message?: unknown };
  return String(message ?? error);
}

/** Unless whoever asked has ended meanwhile. */
function tell(told: Told): void {
  if (process.connected) process.send?.(told);
}
