/** `npx workshop …`: finds the command, parses what it was given, and turns how it ends into an exit code. */
import { parseArgs } from 'node:util';
import { type CliCommand, UsageError } from './command.ts';
import { project } from './project.ts';
import { serve } from './serve.ts';
import { tail } from './tail.ts';

const commands: readonly CliCommand[] = [serve, project, tail];

export async function main(words: readonly string[]): Promise<void> {
  // Whoever reads us through a pipe may have enough at any time.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    await run(words);
  } catch (error) {
    const used = error instanceof UsageError;
    process.stderr.write(`workshop: ${oneLine(error)}${used ? ' (see --help)' : ''}\n`);
    process.exit(used ? 2 : 1);
  }
}

async function run([name, ...rest]: readonly string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    if (name === undefined) process.exitCode = 2;
    return;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new UsageError(`there is no command ${name}`);
  const given = parsed(command, rest);
  if (given.values.help === true) process.stdout.write(helpOf(command));
  else await command.run({ values: given.values, arguments: given.positionals });
}

function parsed(command: CliCommand, args: string[]) {
  try {
    const options = { ...command.options, ...common };
    return parseArgs({ args, options, allowPositionals: true, strict: true }) as {
      values: Record<string, string | boolean | undefined>;
      positionals: string[];
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const common = { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } } as const;

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: workshop <command>\n\n${lines.join('\n')}\n\nEach has --help and --json. Settings come from the environment (docs/reference/configuration.md).\n`;
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
