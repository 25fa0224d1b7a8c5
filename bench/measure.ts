/** How the benchmarks measure: interleaved rounds, medians, and ratios to something measured in the same run. */

export interface Figure {
  name: string;
  unit: string;
  /** One value for each round. */
  values: number[];
  /** Name of the figure that this one is compared with. */
  beside?: string;
}

/** Figures by their names, in the order in which they first came. */
export function collecting() {
  const figures = new Map<string, Figure>();
  return {
    add(name: string, unit: string, value: number, beside?: string): void {
      const figure = figures.get(name) ?? { name, unit, values: [], ...(beside !== undefined && { beside }) };
      figure.values.push(value);
      figures.set(name, figure);
    },
    all: () => [...figures.values()],
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The value below which the share `q` of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Calls `work` `count` times, `atOnce` of them under way; answers with calls a second. */
export async function throughput(
  count: number,
  atOnce: number,
  work: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const began = performance.now();
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return count / ((performance.now() - began) / 1_000);
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const beside = figures.find(({ name }) => name === figure.beside);
    const ratios = beside
      ? figure.values.map((value, round) => value / (beside.values[round] ?? Number.NaN))
      : [];
    return [
      figure.name,
      figure.unit,
      format(median(figure.values)),
      `${format(Math.min(...figure.values))}–${format(Math.max(...figure.values))}`,
      beside ? `${median(ratios).toFixed(2)} × ${beside.name}` : '',
    ];
  });
  const all = [['measured', 'unit', 'median', 'min–max', 'ratio'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
