/**
 * `npm run mutants`: breaks one dangerous line after another in a copy of the tree, and runs the tests that are there for it. A line
 * that can be broken with no test failing is kept by nobody. The lines are in `list.ts`; the sources themselves are not touched.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { transform } from 'esbuild';
import { mutants } from './list.ts';
import { faultOf, type Mutant } from './mutant.ts';
import { broken, patienceMs, root, type Tree, treeIn } from './tree.ts';
import type { Told } from './worker.ts';

const usage = `Breaks one dangerous line after another, and shows which test notices.

  npm run mutants                     all of them
  npm run mutants -- --only <words>   those in whose line, file or rule these words are
  npm run mutants -- --list           what there is, without running anything

Exit code 1 where one survives, or where an entry of test/mutants/lines is out of date.`;

/** Each has servers of its own, and tests that count time want the machine for themselves. */
const atOnce = 2;

type Verdict = { kind: 'killed' | 'survived' | 'unclear'; by: string; ms: number };

const { values } = parseArgs({
  options: { help: { type: 'boolean' }, list: { type: 'boolean' }, only: { type: 'string' } },
});
if (values.help) console.log(usage);
else process.exitCode = await main(values.only, values.list ?? false);

async function main(only: string | undefined, listed: boolean): Promise<number> {
  const chosen = mutants.filter((each) => isMeant(each, only));
  if (chosen.length === 0) return failed('no mutant is called that');
  if (listed) {
    const entry = (each: Mutant) => `${nameOf(each)}\n    ${each.file}  <-  ${each.tests.join(', ')}`;
    console.log(chosen.map(entry).join('\n'));
    return 0;
  }
  const faults = (await Promise.all(chosen.map(faultIn))).filter((fault) => fault !== undefined);
  if (faults.length > 0) return failed(faults.join('\n'));

  const folder = mkdtempSync(join(tmpdir(), 'workshop-mutants-'));
  const count = Math.min(atOnce, chosen.length);
  const trees = Array.from({ length: count }, (_, n) => treeIn(join(folder, String(n))));
  const stop = () => {
    for (const tree of trees) tree.kill();
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // Where it was stopped its processes may be at their last files.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  try {
    progress(`running the tests of ${chosen.length} mutants on the sources as they are`);
    const red = await asTheyAre(trees, chosen);
    if (red.length > 0) return failed(`without any mutant:\n${red.join('\n')}`);
    return verdictOn(chosen, await tried(trees, chosen));
  } finally {
    await Promise.all(trees.map((tree) => tree.close()));
    process.off('SIGINT', stop);
  }
}

function isMeant({ endangers, file, rule = '' }: Mutant, only: string | undefined): boolean {
  return only === undefined || `[${rule}] ${endangers} ${file}`.toLowerCase().includes(only.toLowerCase());
}

function nameOf({ endangers, rule }: Mutant): string {
  return rule === undefined ? endangers : `[${rule}] ${endangers}`;
}

/** Why an entry is of no use any more. A text that does not parse would fail every test, and tell nothing. */
async function faultIn(mutant: Mutant): Promise<string | undefined> {
  const fault = faultOf(mutant, root);
  if (fault !== undefined || !mutant.file.endsWith('.ts')) return fault;
  try {
    await transform(broken(mutant), { loader: 'ts' });
    return undefined;
  } catch (error) {
    return `${nameOf(mutant)}: the mutant of ${mutant.file} does not parse: ${String(error)}`;
  }
}

/** Tests that fail, or are not there, before anything is broken: what they say of a mutant would mean nothing. */
async function asTheyAre(trees: readonly Tree[], chosen: readonly Mutant[]): Promise<string[]> {
  const files = [...new Set(chosen.flatMap(({ tests }) => tests))];
  const told = new Map<string, Told>();
  await share(trees, files, async (tree, file) => {
    const titles = chosen.filter(({ tests }) => tests.includes(file)).map((each) => each.titled);
    const all = titles.includes(undefined)
      ? undefined
      : [...new Set(titles)].map((each) => `(${each})`).join('|');
    told.set(file, await tree.run({ files: [file], titles: all }));
  });
  const red = [...told.values()].flatMap(({ failed, faults }) => [
    ...failed.map(({ file, title, message }) => `  ${file}: ${title}\n      ${message}`),
    ...faults.map((fault) => `  ${fault}`),
  ]);
  const idle = chosen.filter(({ tests, titled = '' }) =>
    tests.some((file) => !told.get(file)?.passed.some(({ title }) => new RegExp(titled).test(title))),
  );
  return [
    ...red,
    ...idle.map((each) => `  ${nameOf(each)}: no test of ${each.tests} is called "${each.titled}"`),
  ];
}

async function tried(trees: readonly Tree[], chosen: readonly Mutant[]): Promise<Map<Mutant, Verdict>> {
  const verdicts = new Map<Mutant, Verdict>();
  await share(trees, chosen, async (tree, mutant) => {
    progress(`${verdicts.size + 1} of ${chosen.length}: ${nameOf(mutant)}`);
    const started = performance.now();
    const told = await tree.broken(mutant);
    verdicts.set(mutant, { ...verdictOf(told), ms: performance.now() - started });
  });
  return verdicts;
}

function verdictOf(told: Told | undefined): Omit<Verdict, 'ms'> {
  if (told === undefined) return { kind: 'unclear', by: `its tests did not end in ${patienceMs / 1_000} s` };
  const [first] = told.failed;
  if (first !== undefined) return { kind: 'killed', by: first.title };
  // No test looked at the behaviour and found it wrong.
  if (told.faults.length > 0) return { kind: 'unclear', by: told.faults.join('; ') };
  return { kind: 'survived', by: '' };
}

function verdictOn(chosen: readonly Mutant[], verdicts: ReadonlyMap<Mutant, Verdict>): number {
  progress('');
  let killed = 0;
  for (const mutant of chosen) {
    const verdict = verdicts.get(mutant);
    if (verdict === undefined) continue;
    const { kind, by, ms } = verdict;
    if (kind === 'killed') killed++;
    const word = { killed: 'killed  ', survived: 'SURVIVED', unclear: 'UNCLEAR ' }[kind];
    console.log(`${word} ${(ms / 1_000).toFixed(1).padStart(5)} s  ${nameOf(mutant)}`);
    console.log(`                  ${mutant.file}${by === '' ? '' : `  <-  ${by}`}`);
  }
  console.log(`\n${killed} of ${verdicts.size} mutants were killed`);
  return killed === chosen.length ? 0 : 1;
}

function failed(why: string): number {
  progress('');
  console.error(why);
  return 1;
}

/** The one line that says where it is, on a terminal. */
function progress(text: string): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
}

/** Each tree works off what nobody has begun yet. */
async function share<T>(
  trees: readonly Tree[],
  all: readonly T[],
  work: (tree: Tree, each: T) => Promise<void>,
): Promise<void> {
  const left = [...all];
  await Promise.all(
    trees.map(async (tree) => {
      for (let each = left.shift(); each !== undefined; each = left.shift()) await work(tree, each);
    }),
  );
}
