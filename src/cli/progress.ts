/** How far long work is, on a terminal; nothing in a pipe. */

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
