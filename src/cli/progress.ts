/** How far long work is, on a terminal; nothing in a pipe. */

export interface ProgressBar {
  /** 0 to 1. */
  at(share: number): void;
  close(): void;
}

const width = 30;

/** On stderr, so that what the command prints stays what it is. */
export function progressBar({ shown, what }: { shown: boolean; what: string }): ProgressBar {
  const { stderr } = process;
  if (!shown || !stderr.isTTY) return { at() {}, close() {} };
  return {
    at(share) {
      const full = Math.round(Math.min(1, Math.max(0, share)) * width);
      const percent = String(Math.floor(share * 100)).padStart(3);
      stderr.write(`\r[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${percent} % ${what}`);
    },
    close() {
      stderr.write(`\r${' '.repeat(width + 10 + what.length)}\r`);
    },
  };
}
