/** What a comparison of the log with the tables may find. In this form it also travels from a server to the command line. */
import { z } from 'zod';

const workshopId = z.number().int();
const version = z.number().int();

/** A table does not hold what the log says. */
const difference = z.object({
  kind: z.literal('difference'),
  workshopId,
  table: z.string(),
  /** By the names of the table's columns. */
  key: z.record(z.string(), z.number()),
  /** null where the whole row is missing or too many. */
  column: z.string().nullable(),
  /** Instants are ISO 8601 in UTC; null beside a row that is too many. */
  expected: z.unknown(),
  /** null beside a row that is missing. */
  found: z.unknown(),
});

/** The log itself is not as a log has to be. */
const fault = z.object({ kind: z.literal('log'), workshopId, version, problem: z.string() });

/** The tables stop before an event that could not be folded. Up to there they were compared. */
const parked = z.object({ kind: z.literal('parked'), workshopId, version, reason: z.string() });

/** No projector folded the workshop up to `version`, at which it was read, in time. */
const behind = z.object({ kind: z.literal('behind'), workshopId, version, folded: z.number().int() });

/** Nothing wrong: an event that an operator gave up keeps its place, and its effect is left out. */
const skipped = z.object({ kind: z.literal('skipped'), workshopId, version, by: z.string() });

export const finding = z.discriminatedUnion('kind', [difference, fault, parked, behind, skipped]);
export type Finding = z.infer<typeof finding>;
export type Difference = z.infer<typeof difference>;

const count = z.number().int().nonnegative();

export const summary = z.object({
  kind: z.literal('summary'),
  workshops: count,
  /** Of all four tables. */
  rows: count,
  /** Columns and rows that are not as the log says, also those that were not listed one by one. */
  differences: count,
  /** What is wrong with the log itself. */
  faults: count,
  parked: count,
  behind: count,
  skipped: count,
});
export type Summary = z.infer<typeof summary>;

export const progress = z.object({ kind: z.literal('progress'), done: count, total: count });

/** What a verification reports, in this order: findings and progress as they come, then the summary. */
export const reported = z.union([finding, progress, summary]);
export type Reported = z.infer<typeof reported>;

export function isWrong({ differences, faults, parked, behind }: Summary): boolean {
  return differences + faults + parked + behind > 0;
}

/** Findings of one workshop: all are counted, and so many of them listed as a person would read. */
export interface Findings {
  readonly listed: readonly Finding[];
  count(kind: Finding['kind']): number;
  add(...found: readonly Finding[]): void;
  /** Those of the listed ones for which `holds`; the others are not counted either. */
  only(holds: (found: Finding) => boolean | undefined): Findings;
}

const listedAtMost = 1_000;

export function noFindings(): Findings {
  const listed: Finding[] = [];
  const counts = new Map<Finding['kind'], number>();
  return {
    listed,
    count: (kind) => counts.get(kind) ?? 0,
    add(...found) {
      for (const each of found) {
        counts.set(each.kind, (counts.get(each.kind) ?? 0) + 1);
        if (listed.length < listedAtMost) listed.push(each);
      }
    },
    only(holds) {
      const some = noFindings();
      some.add(...listed.filter(holds));
      return some;
    },
  };
}
