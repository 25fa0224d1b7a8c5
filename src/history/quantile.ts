/**
 * The value below which the share `q` of the values lies, between two of them in proportion to the distance: method R-7 of
 * Hyndman and Fan (Sample Quantiles in Statistical Packages, 1996), which is `percentile_cont` of Postgres and
 * `PERCENTILE.INC` of spreadsheets. null where there is no value.
 */
export function quantile(values: readonly number[], q: number): number | null {
  const sorted = Float64Array.from(values).sort();
  const place = q * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) return null;
  return below + (above - below) * (place - Math.floor(place));
}

export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** To six decimals: minutes and shares are exact to well below a millisecond, and free of the noise of computing. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

export function minutes(ms: number): number {
  return rounded(ms / 60_000);
}
