/** A database for the tests of one `describe`, and projectors on it that end with the test that began them. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Database } from '../../projections/database/database.ts';
import {
  type Projector,
  type ProjectorEvent,
  type ProjectorOptions,
  projector,
} from '../../projections/worker/projector.ts';
import { foldedVersion } from '../../projections/workshops/queries.ts';
import { until } from '../kit/until.ts';
import type { FreshDatabase } from './databases.ts';

export interface Projecting {
  readonly fresh: FreshDatabase;
  readonly database: Database;
  /** What the projectors of this test told. */
  readonly seen: readonly ProjectorEvent[];
  project(options: Pick<ProjectorOptions, 'log'> & Partial<ProjectorOptions>): Projector;
  /** Resolves when the tables have the workshop up to that version. */
  reached(workshopId: number, version: number): Promise<void>;
  /** A workshop that no test has had. */
  nextId(): number;
  /** Ends the projectors before the test does. */
  stop(): Promise<void>;
  clear(...tables: string[]): Promise<void>;
}

/** `cleared`: tables that are emptied after each test. */
export function projecting(open: () => Promise<FreshDatabase>, ...cleared: string[]): Projecting {
  let fresh: FreshDatabase;
  const running: Projector[] = [];
  let seen: ProjectorEvent[] = [];
  let lastId = 0;

  // PGlite opens within a second on an idle machine, and not on a busy one.
  beforeAll(async () => {
    fresh = await open();
  }, 120_000);
  afterAll(() => fresh.close());
  afterEach(async () => {
    await stop();
    seen = [];
    await clear(...cleared);
  });

  async function stop(): Promise<void> {
    await Promise.all(running.splice(0).map((each) => each.close()));
  }

  async function clear(...tables: string[]): Promise<void> {
    for (const table of tables) await fresh.database.query(`delete from ${table}`, []);
  }

  return {
    get fresh() {
      return fresh;
    },
    get database() {
      return fresh.database;
    },
    get seen() {
      return seen;
    },
    project(options) {
      const started = projector({
        ...{ database: fresh.database, node: 'a', leaseMs: 900, onEvent: (each) => seen.push(each) },
        ...options,
      });
      running.push(started);
      return started;
    },
    async reached(workshopId, version) {
      await until(async () => (await foldedVersion(fresh.database, workshopId)) === version, {
        what: `version ${version} of workshop ${workshopId}`,
        timeout: 30_000,
      });
    },
    nextId: () => ++lastId,
    stop,
    clear,
  };
}

/** Whether a statement is the commit of a batch (`projections/checkpoints/statement.ts`). */
export function isCommit(text: string): boolean {
  return text.includes('), moved as (');
}
