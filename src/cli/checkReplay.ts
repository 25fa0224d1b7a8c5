/** `workshop check-replay`: whether this version of the program makes of archived workshops what was made of them. */
import { readConfig } from '../config.ts';
import type { ReplayReport } from '../history/checkReplay.ts';
import { type CliCommand, CommandFailed } from './command.ts';
import { oneLine, progressBar } from './terminal.ts';

type Difference = Extract<ReplayReport, { kind: 'difference' }>;
type Summary = Extract<ReplayReport, { kind: 'summary' }>;

export const checkReplay: CliCommand = {
  name: 'check-replay',
  summary:
    'Folds every archived workshop with this version of the program; exit code 1 where one comes out otherwise than recorded.',
  usage: 'workshop check-replay [--json]',
  help: {},
  options: {},
  async run({ values }) {
    const json = values.json === true;
    const print = (text: string) => process.stdout.write(`${text}\n`);
    const { openOperations } = await import('./openOperations.ts');
    const operations = await openOperations(readConfig(), { wishes: false });
    const bar = progressBar({ shown: !json, what: 'folded' });
    let summary: Summary | undefined;
    try {
      for await (const each of operations.checkReplay()) {
        if (each.kind === 'progress') bar.at(each.done / each.total);
        else if (each.kind === 'summary') summary = each;
        else {
          bar.clear();
          print(json ? JSON.stringify(each) : line(each));
        }
      }
    } finally {
      bar.close();
      await operations.close();
    }
    if (summary === undefined) throw new CommandFailed('it broke off');
    print(json ? JSON.stringify(summary) : counted(summary));
    if (summary.differences > 0)
      throw new CommandFailed(`${summary.differences} archived workshops come out otherwise than recorded`);
  },
};

function line({ workshopId, version, problem, recordedBy, reducer }: Difference): string {
  const fold =
    recordedBy === reducer
      ? `both by fold ${reducer}`
      : `recorded by fold ${recordedBy}, this program has fold ${reducer}`;
  return `workshop ${workshopId}: version ${version} ${oneLine(problem)} (${fold})`;
}

function counted({ workshops, events, passedOver }: Summary): string {
  const more =
    passedOver === 0 ? '' : `; ${passedOver} went on since they were archived, and were passed over`;
  return `folded ${workshops} archived workshops, ${events} events${more}`;
}
