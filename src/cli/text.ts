/** What people wrote, as a terminal may show it. */

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
