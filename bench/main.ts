/** `npm run bench [-- <name>…] [--rounds N] [--json]`: what is measured, and how; RESULTS.md says what came out. */
import { parseArgs } from 'node:util';
import { append } from './append.ts';
import { broadcast } from './broadcast.ts';
import { exporting } from './export.ts';
import { faults } from './faults.ts';
import { feed } from './feed.ts';
import { fold } from './fold.ts';
import { history } from './history.ts';
import { type Figure, table } from './measure.ts';
import { pages } from './pages.ts';
import { project } from './project.ts';
import { rebuild } from './rebuild.ts';
import { rooms } from './rooms.ts';

const benchmarks: Record<string, (rounds: number) => Promise<Figure[]>> = {
  fold,
  append,
  broadcast,
  project,
  history,
  rebuild,
  faults,
  rooms,
  export: exporting,
  feed,
  pages,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});
const unknown = positionals.filter((name) => !(name in benchmarks));
if (values.help === true || unknown.length > 0) {
  process.stderr.write(
    `Usage: npm run bench -- [${Object.keys(benchmarks).join('] [')}] [--rounds N] [--json]\n`,
  );
  process.exit(unknown.length > 0 ? 2 : 0);
}
const chosen = positionals.length > 0 ? positionals : Object.keys(benchmarks);
const results: Record<string, Figure[]> = {};
for (const name of chosen) {
  process.stderr.write(`measuring ${name}…\n`);
  const figures = (await benchmarks[name]?.(Number(values.rounds))) ?? [];
  results[name] = figures;
  if (values.json !== true) process.stdout.write(`\n${table(figures)}\n`);
}
if (values.json === true) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
process.exit(0);
