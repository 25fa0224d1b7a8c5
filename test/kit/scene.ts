/** Workshops on nodes that are real processes, and the verdict on what happened in them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { type Crowd, type CrowdOptions, crowd } from './crowd.ts';
import { check, type Verdict } from './history/check.ts';
import type { History, Recording, Violation } from './history/history.ts';
import { type Log, postgresTables } from './history/read.ts';
import { liveWorkshop, restAt } from './server.ts';

const results = fileURLToPath(new URL('../.results', import.meta.url));

export interface GatheringOptions extends Omit<CrowdOptions, 'workshopId' | 'users' | 'nodes'> {
  /** The nodes' addresses; the workshop is scheduled on the first. */
  nodes: readonly string[];
  /** How many people, the host (user 1) included. */
  size: number;
  /** Members who do not come by themselves. */
  also?: readonly number[];
  /** Whom the people reach the nodes by, where that is not their addresses. */
  through?: readonly string[];
}

export interface Gathering extends Crowd {
  readonly workshopId: number;
}

/** A live workshop with everyone in the room. */
export async function gathering({
  size,
  nodes,
  through,
  also = [],
  ...options
}: GatheringOptions): Promise<Gathering> {
  const users = Array.from({ length: size }, (_, n) => n + 1);
  const workshopId = await liveWorkshop({ rest: restAt(nodes[0] ?? '') }, [...users.slice(1), ...also]);
  const people = await crowd({ ...options, workshopId, users, nodes: through ?? nodes });
  return Object.assign(people, { workshopId });
}

export interface Judging {
  gatherings: readonly Gathering[];
  /** Reads the raw log (`history/read.ts`). */
  log: () => Promise<Log>;
  /** Where the tables are; they are not compared where it is left out. */
  databaseUrl?: string;
  /** See `History`. */
  mayLose?: boolean;
  /** Whether to wait for everything to be answered and for everyone to be at the log's end; true if left out. */
  settled?: boolean;
  timeout?: number;
}

export interface Judgement extends Verdict {
  log: Log;
}

/**
 * Waits until everything is answered, everyone has everything, and the tables follow; then checks the whole history. Several
 * times, where something was appended meanwhile.
 */
export async function judge(judging: Judging): Promise<Judgement> {
  const { gatherings, databaseUrl, mayLose = false, settled = true, timeout = 15_000 } = judging;
  const people = gatherings.flatMap((each) => each.people);
  if (settled)
    await Promise.all(gatherings.map((each) => each.settle(timeout))).catch((error: unknown) => {
      keep({ log: new Map(), recordings: people.map(({ recording }) => recording) }, []);
      throw error;
    });
  for (;;) {
    const log = await ofThese(judging);
    if (settled) {
      const arrivals = people.map((each) =>
        each.reaches(log.get(each.recording.workshopId)?.length ?? 0, timeout),
      );
      // Who gets no further is the checker's to tell of.
      await Promise.allSettled(arrivals);
    }
    const recordings: Recording[] = people.map(({ recording }) => ({
      ...recording,
      steps: [...recording.steps],
    }));
    const tables = databaseUrl === undefined ? undefined : await postgresTables(databaseUrl, log, timeout);
    if (!sameLength(log, await ofThese(judging))) continue;
    const history: History = { log, recordings, mayLose, ...(tables !== undefined && { tables }) };
    const verdict = check(history);
    if (verdict.violations.length > 0) keep(history, verdict.violations);
    return { ...verdict, log };
  }
}

async function ofThese({ log, gatherings }: Judging): Promise<Log> {
  const ids = new Set(gatherings.map(({ workshopId }) => workshopId));
  return new Map([...(await log())].filter(([workshopId]) => ids.has(workshopId)));
}

function sameLength(one: ReadonlyMap<number, readonly RecordedEvent[]>, other: Log): boolean {
  return [...one].every(([workshopId, events]) => other.get(workshopId)?.length === events.length);
}

/** For whoever has to find out why: the whole history beside the run's results. */
function keep({ log, recordings }: History, violations: readonly Violation[]): void {
  const file = join(results, `history-${process.pid}-${Date.now()}.json`);
  mkdirSync(results, { recursive: true });
  writeFileSync(file, JSON.stringify({ violations, recordings, log: [...log] }, null, 1));
  console.log(`the history is in ${file}`);
}
