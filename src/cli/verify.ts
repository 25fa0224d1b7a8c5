/** `workshop verify`: whether the tables are what the log says, and where they are not. */
import type { Difference, Finding, Summary } from '../../projections/verify/findings.ts';
import { readConfig } from '../config.ts';
import { type CliCommand, CommandFailed, type Given, idOf, UsageError } from './command.ts';
import { oneLine, progressBar } from './terminal.ts';

export const verify: CliCommand = {
  name: 'verify',
  summary: 'Folds the log anew and compares it with every row of every table; exit code 1 where they differ.',
  usage: 'workshop verify <id> | --all [--json]',
  help: { '--all': 'every workshop that the log or any table knows of' },
  options: { all: { type: 'boolean' } },
  takesArguments: true,
  async run(given) {
    const workshopId = chosen(given);
    const json = given.values.json === true;
    const print = (text: string) => process.stdout.write(`${text}\n`);
    // Loaded when it is needed: what is wrong usage is told at once.
    const [{ openOperations }, { isWrong }] = await Promise.all([
      import('./openOperations.ts'),
      import('../../projections/verify/findings.ts'),
    ]);
    const operations = await openOperations(readConfig(), { wishes: true });
    const bar = progressBar({ shown: !json && workshopId === undefined, what: 'compared' });
    let summary: Summary | undefined;
    let shown = 0;
    try {
      for await (const each of operations.verify(workshopId)) {
        if (each.kind === 'progress') bar.at(each.done / each.total);
        else if (each.kind === 'summary') summary = each;
        else {
          shown++;
          // Also where the reader has seen enough by then.
          if (each.kind !== 'skipped') process.exitCode = 1;
          bar.close();
          print(json ? JSON.stringify(each) : line(each));
        }
      }
    } finally {
      bar.close();
      await operations.close();
    }
    if (summary === undefined) throw new CommandFailed(`there is no workshop ${workshopId}`);
    const all = summary.differences + summary.faults + summary.parked + summary.behind + summary.skipped;
    if (!json && shown < all) print(`… and ${all - shown} more`);
    print(json ? JSON.stringify(summary) : `compared ${counted(summary)}`);
    if (isWrong(summary)) throw new CommandFailed(wrong(summary));
  },
};

function chosen(given: Given): number | undefined {
  if (given.values.all !== true) return idOf(given, 'workshop');
  if (given.arguments.length > 0) throw new UsageError('give one workshop id, or --all');
  return undefined;
}

function line(found: Finding): string {
  const at = `workshop ${found.workshopId}`;
  switch (found.kind) {
    case 'difference':
      return `${at}: ${found.table} ${keyText(found)}: ${differenceText(found)}`;
    case 'log':
      return `${at}: the log at version ${found.version}: ${oneLine(found.problem)}`;
    case 'parked':
      return `${at}: parked at version ${found.version}: ${oneLine(found.reason)}`;
    case 'behind':
      return `${at}: folded up to version ${found.folded} of ${found.version}, and no projector goes on`;
    case 'skipped':
      return `${at}: version ${found.version} was given up by ${oneLine(found.by)}, and is left out as it should be`;
  }
}

function keyText({ key }: Difference): string {
  const names = Object.entries(key).filter(([name]) => name !== 'workshop_id');
  return names.map(([name, value]) => `${name} ${value}`).join(', ');
}

function differenceText({ column, expected, found }: Difference): string {
  if (column !== null) return `${column}: expected ${value(expected)}, found ${value(found)}`;
  return found === null
    ? `the row is missing: ${value(expected)}`
    : `there is a row too many: ${value(found)}`;
}

const longest = 300;

function value(of: unknown): string {
  const text = oneLine(JSON.stringify(of) ?? 'null');
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

function counted({ workshops, rows, skipped }: Summary): string {
  const given = skipped === 0 ? '' : `; ${plural(skipped, 'event')} given up`;
  return `${plural(workshops, 'workshop')}, ${plural(rows, 'row')}${given}`;
}

function wrong({ differences, faults, parked, behind }: Summary): string {
  const parts = [
    [differences, plural(differences, 'difference')],
    [faults, `${plural(faults, 'fault')} of the log`],
    [parked, `${plural(parked, 'workshop')} parked`],
    [behind, `${plural(behind, 'workshop')} behind`],
  ] as const;
  const found = parts.filter(([count]) => count > 0).map(([, text]) => text);
  return `the tables are not what the log says: ${found.join(', ')}`;
}

function plural(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
