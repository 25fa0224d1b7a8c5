/** Arrays as parameters: as text that Postgres casts, which postgres.js and PGlite treat alike. */

/** An array in Postgres' own text form. */
export function arrayText(values: readonly (string | number | null)[]): string {
  const items = values.map((value) => {
    if (value === null) return 'NULL';
    return typeof value === 'number' ? String(value) : `"${value.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${items.join(',')}}`;
}
