/** Two nodes that write at the same time, as nodes do: on a conflict they take up what they missed and try again. */
import { expect, test } from 'vitest';
import type { Mark } from '../../../src/domain/define.ts';
import type { DraftCommand, EventLog } from '../../../src/log/log.ts';
import { seeded } from '../../kit/seeded.ts';
import type { Stage } from '../contract.ts';
import { command, draft, send, versions } from '../drafts.ts';

const workshopId = 81;

/** Appends until it is taken, and returns the versions that the command got. */
async function insist(
  log: EventLog,
  one: DraftCommand,
  known: { version: number },
): Promise<[number, number]> {
  for (;;) {
    const answer = await send(log, { workshopId, base: known.version }, one);
    if (answer.kind === 'appended') {
      known.version = Math.max(known.version, answer.to);
      return [answer.from, answer.to];
    }
    if (answer.kind !== 'conflict') throw new Error(`not expected: ${JSON.stringify(answer)}`);
    const last = answer.missing.at(-1);
    if (last === undefined) throw new Error('a conflict without what was missed');
    known.version = Math.max(known.version, last.version);
  }
}

export function writerTests(stage: Stage): void {
  test('many appends of two nodes at once leave no gap, lose nothing, and hold each command once', async () => {
    const logs = [stage.log, await stage.second()];
    const random = seeded('writers');
    const marks: readonly Mark[] = ['room', 'seats', 'user:1', 'user:2', 'message:3'];
    const acknowledged = new Map<string, [number, number]>();
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      const log = logs[writer % 2] ?? stage.log;
      const known = { version: 0 };
      for (let count = 0; count < 25; count += 1) {
        const events = Array.from({ length: 1 + random.below(3) }, () => draft([random.of(marks)]));
        const reads = random.below(4) === 0 ? (['*'] as const) : [random.of(marks), random.of(marks)];
        const one = command({ by: writer + 1, remember: random.below(2) === 0, reads, events });
        acknowledged.set(one.commandId, await insist(log, one, known));
      }
    });
    await Promise.all(writers);

    const events = await stage.log.events.read(workshopId, 0, 10_000);
    expect(versions(events)).toEqual(events.map((_, index) => index + 1));
    for (const [commandId, [from, to]] of acknowledged) {
      const own = events.filter((event) => event.commandId === commandId);
      expect(versions(own)).toEqual(Array.from({ length: to - from + 1 }, (_, index) => from + index));
    }
    expect(new Set(events.map(({ commandId }) => commandId)).size).toBe(200);
    expect(events.every(({ at }, index) => at >= (events[index - 1]?.at ?? 0))).toBe(true);
  });

  test('the same remembered command sent by two nodes at once is taken once', async () => {
    const logs = [stage.log, await stage.second()];
    for (let base = 0; base < 20; base += 1) {
      const one = command({ remember: true });
      const answers = await Promise.all(logs.map((log) => send(log, { workshopId, base }, one)));
      expect(answers.map(({ kind }) => kind).sort()).toEqual(['appended', 'done']);
    }
    expect((await stage.log.events.head(workshopId))?.version).toBe(20);
  });
}
