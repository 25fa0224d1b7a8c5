/** Random appends, compared answer by answer with the smallest model of a workshop that keeps the promises. */
import { expect, test } from 'vitest';
import type { Mark } from '../../../src/domain/define.ts';
import type { Append, DraftCommand } from '../../../src/log/log.ts';
import { missingLimit } from '../../../src/log/log.ts';
import { type Chance, seeded } from '../../kit/seeded.ts';
import type { Stage } from '../contract.ts';
import { command, draft, send } from '../drafts.ts';

const workshopId = 91;
const marks: readonly Mark[] = ['room', 'seats', 'user:1', 'user:2', 'message:3'];

interface ModelEvent {
  marks: readonly Mark[];
  /** `user:command id` */
  command: string;
}

/** What an append is answered with, as far as it does not depend on the clock. */
function model() {
  const events: ModelEvent[] = [];
  const remembered = new Map<string, { version: number; fingerprint: string }>();
  const nameOf = ({ by, commandId }: DraftCommand) => `${by}:${commandId}`;

  return (append: Pick<Append, 'base' | 'commands'>): string => {
    const { base, commands } = append;
    const unseen = events.slice(base, base + missingLimit);
    const done = commands.flatMap((one, index) => {
      const name = nameOf(one);
      const last = unseen.map((event) => event.command).lastIndexOf(name);
      const known = one.remember ? remembered.get(name) : undefined;
      if (known !== undefined) return [`${index}@${known.version} ${known.fingerprint}`];
      return last === -1 ? [] : [`${index}@${base + last + 1} `];
    });
    const missing = `missing ${unseen.length}`;
    if (done.length > 0) return `done ${done.join(', ')}, ${missing}`;

    const reads = commands.flatMap((one) => one.reads);
    const after = events.slice(base).flatMap((event) => event.marks);
    const isStale =
      events.length > base &&
      (reads.includes('*') || reads.some((mark) => mark !== '*' && after.includes(mark)));
    if (isStale || base > events.length || events.length - base > missingLimit)
      return `conflict at ${events.length}, ${missing}`;

    const from = events.length + 1;
    for (const one of commands) {
      events.push(...one.events.map((event) => ({ marks: event.marks, command: nameOf(one) })));
      if (one.remember) remembered.set(nameOf(one), { version: events.length, fingerprint: one.fingerprint });
    }
    return `appended ${from}-${events.length}, ${missing}`;
  };
}

function randomCommand(random: Chance, used: DraftCommand[]): DraftCommand {
  if (used.length > 0 && random.below(4) === 0) return random.of(used);
  const some = (most: number) => Array.from({ length: random.below(most + 1) }, () => random.of(marks));
  const one = command({
    by: random.of([1, 2, 'system']),
    remember: random.below(2) === 0,
    fingerprint: `f${random.below(100)}`,
    reads: random.below(6) === 0 ? ['*'] : some(2),
    events: Array.from({ length: 1 + random.below(3) }, () => draft(some(2))),
  });
  used.push(one);
  return one;
}

export function modelTests(stage: Stage): void {
  test('300 random appends are answered as the model answers them', async () => {
    const { log } = stage;
    const random = seeded('model');
    const expected = model();
    const used: DraftCommand[] = [];
    let version = 0;
    for (let count = 0; count < 300; count += 1) {
      const behind = random.of([0, 0, 0, 1, 2, 5, 20, missingLimit + 1, -1]);
      const base = Math.max(0, version - behind);
      const commands = new Set(
        Array.from({ length: 1 + random.below(3) }, () => randomCommand(random, used)),
      );
      const answer = await send(log, { workshopId, base }, ...commands);
      expect(shown(answer), `append ${count}`).toBe(expected({ base, commands: [...commands] }));
      if (answer.kind === 'appended') version = answer.to;
    }
    expect((await log.events.head(workshopId))?.version).toBe(version);
  });
}

function shown(answer: Awaited<ReturnType<typeof send>>): string {
  switch (answer.kind) {
    case 'appended':
      return `appended ${answer.from}-${answer.to}, missing ${answer.missing.length}`;
    case 'conflict':
      return `conflict at ${answer.version}, missing ${answer.missing.length}`;
    case 'done': {
      const list = answer.commands.map((done) => `${done.index}@${done.version} ${done.fingerprint}`);
      return `done ${list.join(', ')}, missing ${answer.missing.length}`;
    }
    default:
      return answer.kind;
  }
}
