/** What a command of the command line is, and how it ends. */
import type { ParseArgsConfig } from 'node:util';

export interface CliCommand {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** `workshop tail <id>` */
  usage: string;
  /** What each option does, by its name; shown by `--help`. */
  help: Record<string, string>;
  options: NonNullable<ParseArgsConfig['options']>;
  run(given: Given): Promise<void>;
}

/** Commands about one thing: `workshop projections status`. */
export interface CliGroup {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** Their names are the words after the group's. */
  commands: readonly CliCommand[];
}

export interface Given {
  values: Record<string, string | boolean | undefined>;
  arguments: readonly string[];
}

/** Used wrongly: exit code 2. */
export class UsageError extends Error {}
/** Failed for a reason that one line tells: exit code 1. */
export class CommandFailed extends Error {}

/** A whole number in decimal digits, as people write it; NaN for anything else. */
export function wholeOf(text: string | boolean | undefined): number {
  const number = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

/** A workshop id as the command line gives it, and nothing else. */
export function workshopIdOf(given: Given): number {
  const [text, ...more] = given.arguments;
  const id = wholeOf(text);
  if (text === undefined || more.length > 0) throw new UsageError('give one workshop id');
  if (!(id >= 1)) throw new UsageError(`${text} is not a workshop id`);
  return id;
}
