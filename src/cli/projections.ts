/** `workshop projections …`: what an operator does about tables that are behind, and about workshops that are parked. */
import type { Adoption } from '../../projections/logIdentity/adopt.ts';
import { rebuildNames } from '../../projections/rebuild/request.ts';
import { readConfig } from '../config.ts';
import {
  type CliCommand,
  type CliGroup,
  CommandFailed,
  type Given,
  idOf,
  UsageError,
  versionOf,
} from './command.ts';
import type { Need } from './openOperations.ts';
import type { Operations } from './operations.ts';
import { statusText } from './statusText.ts';
import { confirm, needsConfirmation, operatorName, progressBar } from './terminal.ts';

const status: CliCommand = {
  name: 'status',
  summary: 'Tells how far the tables are behind the log, who folds what, and what is parked or was given up.',
  usage: 'workshop projections status [--json]',
  help: {},
  options: {},
  run: ({ values }) =>
    operating({ wishes: false }, async (operations) => {
      const found = await operations.status();
      print(values.json === true ? JSON.stringify(found) : statusText(found));
    }),
};

const retry: CliCommand = {
  name: 'retry',
  summary: 'Takes up a parked workshop again, once the reason why it was parked is gone.',
  usage: 'workshop projections retry <id> [--json]',
  help: {},
  options: {},
  takesArguments: true,
  run: (given) => {
    const workshopId = idOf(given, 'workshop');
    return operating({ wishes: true }, async (operations) => {
      await parkedVersion(operations, workshopId);
      const { parked } = await operations.retry(workshopId);
      await report(operations, { workshopId, parked, json: given.values.json === true });
    });
  },
};

const skip: CliCommand = {
  name: 'skip',
  summary:
    'Gives up the one event at which a workshop is parked: its effect on the tables is left out for good.',
  usage: 'workshop projections skip <id> --version <version> [--yes] [--json]',
  help: {
    '--version': 'the version at which it is parked, as the status says',
    '--yes': 'do not ask; needed where nobody sits at a terminal',
  },
  options: { version: { type: 'string' }, yes: { type: 'boolean' } },
  takesArguments: true,
  run: (given) => {
    const workshopId = idOf(given, 'workshop');
    const version = parkedAt(given);
    const isAsked = needsConfirmation(given.values.yes);
    return operating({ wishes: true }, async (operations) => {
      const at = await parkedVersion(operations, workshopId);
      if (at.version !== version)
        throw new CommandFailed(
          `workshop ${workshopId} is parked at version ${at.version}, not at ${version}`,
        );
      if (isAsked && !(await confirm(`${at.reason}\nGive up version ${version} of workshop ${workshopId}?`)))
        throw new CommandFailed('nothing was given up');
      const { parked } = await operations.skip({ workshopId, version, by: operatorName() });
      await report(operations, { workshopId, parked, json: given.values.json === true });
    });
  },
};

const rebuild: CliCommand = {
  name: 'rebuild',
  summary: 'Folds every workshop anew. The tables are folded together, so naming one of them rebuilds all.',
  usage: `workshop projections rebuild [${rebuildNames.join(' | ')}] [--json]`,
  help: {},
  options: {},
  takesArguments: true,
  run: ({ values, arguments: [name, ...more] }) => {
    if (more.length > 0) throw new UsageError('give one projection, or none');
    if (name !== undefined && !rebuildNames.some((known) => known === name))
      throw new UsageError(`there is no projection ${name}; there are ${rebuildNames.join(', ')}`);
    const json = values.json === true;
    return operating({ wishes: true }, async (operations) => {
      const bar = progressBar({ shown: !json, what: 'folded anew' });
      const started = performance.now();
      const { partitions } = await operations.rebuild((share) => bar.at(share)).finally(() => bar.close());
      const ms = Math.round(performance.now() - started);
      const { parked } = await operations.status();
      const waiting = parked.map(({ workshopId }) => workshopId);
      if (json) print(JSON.stringify({ partitions, ms, parked: waiting }));
      else print(`every workshop was folded anew in ${(ms / 1_000).toFixed(1)} s; parked: ${waiting.length}`);
    });
  },
};

const adopt: CliCommand = {
  name: 'adopt',
  summary: 'Makes the database the one of this log, where it belonged to another or to another copy of it.',
  usage: 'workshop projections adopt [--yes] [--json]',
  help: { '--yes': 'do not ask; needed where nobody sits at a terminal' },
  options: { yes: { type: 'boolean' } },
  async run({ values }) {
    const question =
      'Its tables then follow this log: workshops that only they have are put back into it. Make the database its own?';
    if (needsConfirmation(values.yes) && !(await confirm(question)))
      throw new CommandFailed('nothing was changed');
    await operating({ wishes: false, adopts: true }, async (operations) => {
      const done = await operations.adopt();
      print(values.json === true ? JSON.stringify(done) : adoptionText(done));
    });
  },
};

function adoptionText({ identity, before, changed }: Adoption): string {
  if (!changed) return `the database belongs to this log already (${identity})`;
  return `the database belongs to this log now (${identity})${before === null ? '' : `, and no longer to ${before}`}`;
}

export const projections: CliGroup = {
  name: 'projections',
  summary: 'Looks after the tables: status, retry and skip of parked workshops, rebuild, adopt.',
  commands: [status, retry, skip, rebuild, adopt],
};

/** `wishes`: something is asked of a projector, so that one has to run. */
async function operating(need: Need, work: (operations: Operations) => Promise<void>): Promise<void> {
  // Loaded when it is needed: what is wrong usage is told at once.
  const { openOperations } = await import('./openOperations.ts');
  const operations = await openOperations(readConfig(), need);
  try {
    await work(operations);
  } finally {
    await operations.close();
  }
}

async function parkedVersion(operations: Operations, workshopId: number) {
  const { parked } = await operations.status();
  const found = parked.find((each) => each.workshopId === workshopId);
  if (found === undefined) throw new CommandFailed(`workshop ${workshopId} is not parked`);
  return found;
}

async function report(
  operations: Operations,
  { workshopId, parked, json }: { workshopId: number; parked: boolean; json: boolean },
): Promise<void> {
  if (json) print(JSON.stringify({ workshopId, parked }));
  else if (!parked) print(`workshop ${workshopId} is folded again`);
  if (!parked) return;
  const { version, reason } = await parkedVersion(operations, workshopId);
  throw new CommandFailed(`workshop ${workshopId} is parked again at version ${version}: ${reason}`);
}

function parkedAt({ values }: Given): number {
  if (values.version === undefined)
    throw new UsageError('give the --version at which the workshop is parked');
  return versionOf('--version', values.version, 1);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
