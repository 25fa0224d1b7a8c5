/** What a command of the command line is, and how it ends. */
import type { ParseArgsConfig } from 'node:util';
import type { BundledPage } from '../../web/bundle.ts';

export interface CliCommand {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** `workshop tail <id>` */
  usage: string;
  /** What each option does, by its name; shown by `--help`. */
  help: Record<string, string>;
  options: NonNullable<ParseArgsConfig['options']>;
  /** Words beside the options, which it looks at itself. Where it takes none, giving one is wrong usage. */
  takesArguments?: true;
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

/** What the process was started with beside its words. */
export interface Ready {
  /** The page as it was bundled before; one that serves it bundles it itself where this is left out. */
  page?: () => Promise<BundledPage>;
}

export interface Given extends Ready {
  values: Record<string, string | boolean | undefined>;
  arguments: readonly string[];
}

/** Used wrongly: exit code 2. */
export class UsageError extends Error {}
/** Failed for a reason that one line tells: exit code 1. */
export class CommandFailed extends Error {}

/** A whole number in decimal digits, as people write it; undefined for anything else. */
export function wholeOf(text: string | boolean | undefined): number | undefined {
  const number = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The one id that a command was given, and nothing else. */
export function idOf({ arguments: [text, ...more] }: Given, what: 'workshop' | 'user'): number {
  if (text === undefined || more.length > 0) throw new UsageError(`give one ${what} id`);
  const id = wholeOf(text);
  if (id === undefined || id < 1) throw new UsageError(`${text} is not a ${what} id`);
  return id;
}

/** A version that an option gives; `least` is the lowest that makes sense there. */
export function versionOf(option: string, text: string | boolean, least: number): number {
  const version = wholeOf(text);
  if (version === undefined || version < least) throw new UsageError(`${option} ${text} is not a version`);
  return version;
}
