/** The state of the projections as a person reads it in a terminal. */
import type { ProjectionStatus } from '../../projections/worker/status.ts';
import { oneLine } from './terminal.ts';

export function statusText({ partitions, parked, skipped, lag }: ProjectionStatus): string {
  const blocks = [
    `Tables behind the log: ${lag} ${lag === 1 ? 'event' : 'events'}`,
    block('Partitions', ['owner', 'partitions', 'last commit'], owners(partitions)),
    block(
      'Parked workshops',
      ['id', 'version', 'attempts', 'since', 'reason'],
      parked.map((each) => [each.workshopId, each.version, each.attempts, each.parkedAt, each.reason]),
    ),
    block(
      'Events given up',
      ['id', 'version', 'when', 'by', 'reason'],
      skipped.map((each) => [each.workshopId, each.version, each.skippedAt, each.skippedBy, each.reason]),
    ),
  ];
  const rebuilding = partitions.filter(({ rebuildRequested }) => rebuildRequested);
  if (rebuilding.length > 0) blocks.push(rebuildText(rebuilding));
  return blocks.join('\n\n');
}

function rebuildText(rebuilding: ProjectionStatus['partitions']): string {
  const title = `Partitions still to be folded anew: ${rebuilding.length}`;
  const begun = rebuilding.flatMap(({ partition, rebuilt }) =>
    rebuilt === null ? [] : [[partition, `${rebuilt.done} of ${rebuilt.total}`, rebuilt.after ?? '']],
  );
  return begun.length === 0 ? title : block(title, ['partition', 'workshops', 'up to id'], begun);
}

function owners(partitions: ProjectionStatus['partitions']): (string | number)[][] {
  const byOwner = new Map<string, { count: number; last: string }>();
  for (const { owner, leaseUntil, updatedAt } of partitions) {
    // A lease that ran out belongs to nobody, whoever's name it bears.
    const isHeld = owner !== null && leaseUntil !== null && Date.parse(leaseUntil) > Date.now();
    const name = isHeld ? owner : '(nobody)';
    const { count, last } = byOwner.get(name) ?? { count: 0, last: updatedAt };
    byOwner.set(name, { count: count + 1, last: last.localeCompare(updatedAt) > 0 ? last : updatedAt });
  }
  return [...byOwner].map(([name, { count, last }]) => [name, count, last]);
}

function block(title: string, heads: string[], rows: (string | number)[][]): string {
  if (rows.length === 0) return `${title}: none`;
  const lines = [heads, ...rows.map((row) => row.map((cell) => oneLine(String(cell))))];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${title}\n${text.map((line) => `  ${line}`).join('\n')}`;
}
