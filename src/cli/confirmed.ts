/** Asking someone at a terminal before something is done that cannot be undone. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from './command.ts';

/** Whether a person has to be asked; wrong usage where nobody is there to answer, and `--yes` was not said. */
export function hasToAsk(yes: string | boolean | undefined): boolean {
  if (yes === true) return false;
  if (!(process.stdin.isTTY && process.stderr.isTTY)) throw new UsageError('without a terminal, say --yes');
  return true;
}

export async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
