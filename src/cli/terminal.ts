/** The person at a terminal: named, asked before what cannot be undone, and shown how far long work is; nothing of it in a pipe. */
import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { UsageError } from './command.ts';

export interface ProgressBar {
  /** 0 to 1; `what` is what it says beside the bar from here on. */
  at(share: number, what?: string): void;
  /** Takes it away; the next `at` shows it again. */
  clear(): void;
  close(): void;
}

const width = 30;

/** On stderr, so that what the command prints stays what it is. */
export function progressBar(given: { shown: boolean; what: string }): ProgressBar {
  const { stderr } = process;
  if (!given.shown || !stderr.isTTY) return { at() {}, clear() {}, close() {} };
  let said = given.what;
  /** How many characters the line had. */
  let drawn = 0;

  function draw(line: string): void {
    stderr.write(`\r${line}${' '.repeat(Math.max(0, drawn - line.length))}`);
    drawn = line.length;
  }

  function clear(): void {
    draw('');
    stderr.write('\r');
  }

  return {
    at(share, what = said) {
      said = what;
      const full = Math.round(Math.min(1, Math.max(0, share)) * width);
      const percent = String(Math.floor(share * 100)).padStart(3);
      const line = `[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${percent} % ${what}`;
      // A line that is broken could not be drawn over.
      draw(line.slice(0, Math.max(1, (stderr.columns || 80) - 1)));
    },
    clear,
    close: clear,
  };
}

/** Whether a person has to be asked; wrong usage where nobody is there to answer, and `--yes` was not said. */
export function needsConfirmation(yes: string | boolean | undefined): boolean {
  if (yes === true) return false;
  if (!(process.stdin.isTTY && process.stderr.isTTY)) throw new UsageError('without a terminal, say --yes');
  return true;
}

export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

export function operatorName(): string {
  return `${userInfo().username} at ${hostname()}`;
}

/** On one line, and without what would steer the terminal or turn the line's direction. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ');
}

/** `1h2m30s`, `450ms`; undefined where it is not written so. */
export function durationOf(text: string): number | undefined {
  const parts = /^(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,10})s)?(?:(\d{1,13})ms)?$/.exec(text);
  if (parts === null || text === '') return undefined;
  const [, hours = 0, minutes = 0, seconds = 0, ms = 0] = parts;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000 + Number(ms);
}

/** As `durationOf` takes it, down to the millisecond. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
    [ms % 1_000, 'ms'],
  ];
  const text = parts.flatMap(([count, unit]) => (count > 0 ? [`${count}${unit}`] : [])).join('');
  return text === '' ? '0s' : text;
}
