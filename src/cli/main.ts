/** `npx workshop …`: finds the command, parses what it was given, and turns how it ends into an exit code. */
import { parseArgs } from 'node:util';
import { isRunByPackageManager } from '../config.ts';
import { checkReplay } from './checkReplay.ts';
import { type CliCommand, type CliGroup, type Given, type Ready, UsageError } from './command.ts';
import { eraseUser } from './eraseUser.ts';
import { exportCommand } from './export.ts';
import { migrate } from './migrate.ts';
import { project } from './project.ts';
import { projections } from './projections.ts';
import { replay } from './replay.ts';
import { serve } from './serve.ts';
import { endWithParent } from './signals.ts';
import { simulate } from './simulate.ts';
import { tail } from './tail.ts';
import { token } from './token.ts';
import { verify } from './verify.ts';

const commands: readonly (CliCommand | CliGroup)[] = [
  serve,
  project,
  tail,
  replay,
  exportCommand,
  simulate,
  verify,
  checkReplay,
  eraseUser,
  projections,
  migrate,
  token,
];

/** `ready` is what was made before the start, such as the page. */
export async function main(words: readonly string[], ready: Ready = {}): Promise<void> {
  // Whoever reads us through a pipe may have enough at any time.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
  if (isRunByPackageManager()) endWithParent(process.ppid);
  try {
    await run(words, ready);
  } catch (error) {
    const used = error instanceof UsageError;
    process.stderr.write(`workshop: ${oneLine(error)}${used ? ' (see --help)' : ''}\n`);
    process.exit(used ? 2 : 1);
  }
}

async function run(words: readonly string[], ready: Ready): Promise<void> {
  const { command, rest } = found(words);
  if (command === undefined) return;
  const given = parsed(command, rest);
  if (given.values.help === true) process.stdout.write(helpOf(command));
  else await command.run({ ...given, ...ready });
}

const asksForHelp = (word: string | undefined) => word === '--help' || word === '-h' || word === 'help';

/** The command that the words name, and the words after it; no command where a list of them was asked for, and is written. */
function found([name, ...rest]: readonly string[]): { command?: CliCommand; rest: string[] } {
  if (name === undefined || asksForHelp(name)) {
    list({ usage: 'workshop <command>', entries: commands, asked: name !== undefined });
    return { rest };
  }
  const entry = commands.find((each) => each.name === name);
  if (entry === undefined) throw new UsageError(`there is no command ${name}`);
  if (!('commands' in entry)) return { command: entry, rest };
  const [word, ...further] = rest;
  if (word === undefined || asksForHelp(word)) {
    const usage = `workshop ${entry.name} <command>`;
    list({ usage, entries: entry.commands, asked: word !== undefined });
    return { rest: further };
  }
  const command = entry.commands.find((each) => each.name === word);
  if (command === undefined) throw new UsageError(`there is no command ${name} ${word}`);
  return { command, rest: further };
}

function parsed({ name, options, takesArguments }: CliCommand, args: string[]): Given {
  let found: ReturnType<typeof parseArgs>;
  try {
    found = parseArgs({ args, options: { ...options, ...common }, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { positionals } = found;
  const values = Object.fromEntries(
    Object.entries(found.values).map(([name, given]) => [name, joined(given)]),
  );
  if (takesArguments !== true && positionals.length > 0 && values.help !== true)
    throw new UsageError(
      `${name} takes no arguments${Object.keys(options).length > 0 ? ', only options' : ''}`,
    );
  return { values, arguments: positionals };
}

/** What was given of an option that may be repeated, with commas between. */
function joined(value: string | boolean | (string | boolean)[] | undefined): string | boolean | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

const common = { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } } as const;

interface List {
  usage: string;
  entries: readonly Pick<CliCommand, 'name' | 'summary'>[];
  /** Otherwise the list tells what was missing, and that is wrong usage. */
  asked: boolean;
}

function list({ usage, entries, asked }: List): void {
  const width = Math.max(...entries.map(({ name }) => name.length));
  const lines = entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  process.stdout.write(
    `Usage: ${usage}\n\n${lines.join('\n')}\n\nEach has --help and --json. Settings come from the environment (docs/reference/configuration.md).\n`,
  );
  if (!asked) process.exitCode = 2;
}

function helpOf(command: CliCommand): string {
  const options = Object.entries({ ...command.help, '--json': 'output for programs', '--help': 'this text' });
  const width = Math.max(...options.map(([name]) => name.length));
  const lines = options.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
  return `Usage: ${command.usage}\n\n${command.summary}\n\n${lines.join('\n')}\n`;
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? 'failed';
}
