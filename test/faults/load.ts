/** Workshops that grow on a log while things break, and their tables held against what the log says. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Database } from '../../projections/database/database.ts';
import { foldedVersions } from '../../projections/workshops/queries.ts';
import { eventOf, isEventType } from '../../src/domain/catalog.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { type EventLog, readAll } from '../../src/log/log.ts';
import { until } from '../kit/until.ts';
import { expectedTables } from '../projections/expected.ts';
import { story } from '../projections/story.ts';
import { tablesOf } from '../projections/tables.ts';

export interface Load {
  readonly workshopIds: readonly number[];
  /** Appends to all of them in turn while `work` goes on; resolves with how many events that were. */
  during(work: () => Promise<unknown>): Promise<number>;
  /** Resolves once the tables hold all that was appended. */
  folded(timeout: number): Promise<void>;
  /** Fails where any table is not what the log says. */
  check(): Promise<void>;
}

export interface LoadOptions {
  log: EventLog;
  database: Database;
  workshops: number;
  /** Milliseconds between two appends. */
  everyMs: number;
}

/** The appends of a workshop are a seeded life of it; one that is over makes room for the next. */
export async function load({ log, database, workshops, everyMs }: LoadOptions): Promise<Load> {
  let seed = 0;
  const lives = await Promise.all(Array.from({ length: workshops }, begin));
  const workshopIds = lives.map(({ workshopId }) => workshopId);

  async function begin() {
    const { workshopId } = await log.ids.allocate();
    return { workshopId, base: 0, appends: story(++seed, 400) };
  }

  async function step(index: number): Promise<number> {
    let life = lives[index];
    if (life === undefined) throw new Error(`there is no workshop ${index}`);
    if (life.appends.length === 0) {
      life = await begin();
      lives[index] = life;
      workshopIds.push(life.workshopId);
    }
    const events = life.appends.shift() ?? [];
    if (events.length > 0) life.base = await append(log, life, events);
    return events.length;
  }

  return {
    workshopIds,
    async during(work) {
      let isOver = false;
      const working = work().finally(() => {
        isOver = true;
      });
      let appended = 0;
      for (let count = 0; !isOver; count++) {
        appended += await step(count % lives.length);
        await sleep(everyMs);
      }
      await working;
      return appended;
    },
    async folded(timeout) {
      const isFolded = async () => {
        const versions = await foldedVersions(database, workshopIds);
        const heads = await Promise.all(workshopIds.map((id) => log.events.head(id)));
        return workshopIds.every((id, index) => (versions.get(id) ?? 0) === (heads[index]?.version ?? 0));
      };
      await until(isFolded, { what: 'the tables to hold everything', timeout });
    },
    async check() {
      for (const id of workshopIds) {
        const events: RecordedEvent[] = [];
        for await (const page of readAll(log.events, id)) events.push(...page);
        expect(await tablesOf(database, id), `workshop ${id}`).toEqual(expectedTables(events));
      }
    },
  };
}

async function append(
  log: EventLog,
  { workshopId, base }: { workshopId: number; base: number },
  events: readonly RecordedEvent[],
): Promise<number> {
  const drafts = events.map(({ eventId, type, schema, data }) => {
    if (!isEventType(type)) throw new Error(`no event ${type}`);
    return { eventId, type, schema, data: JSON.stringify(data), marks: eventOf(type).marks(data) };
  });
  const { by, commandId } = events[0] ?? { by: 'system' as const, commandId: '' };
  const command = { by, commandId, fingerprint: '', remember: false, reads: [], events: drafts };
  const deadline = log.now() + 10_000;
  const answer = await log.events.append({ workshopId, base, deadline, commands: [command], node: 'load' });
  if (answer.kind !== 'appended') throw new Error(`not appended: ${answer.kind}`);
  return answer.to;
}
