/**
 * A process that appends as fast as it can and prints each acknowledged append, until it is killed.
 * Called with the folder of the log; a line is `<workshop> <from> <to> <command id>`.
 */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import { command, draft, send } from './drafts.ts';

const log = await embeddedLog({ path: process.argv[2] ?? '' });

async function write(workshopId: number): Promise<never> {
  for (;;) {
    const base = (await log.events.head(workshopId))?.version ?? 0;
    const events = Array.from({ length: 1 + (base % 3) }, () => draft(['user:7'], { text: 'x'.repeat(500) }));
    const answer = await send(
      log,
      { workshopId, base },
      command({ commandId: randomUUID(), events, remember: true }),
    );
    if (answer.kind !== 'appended') throw new Error(`not expected: ${JSON.stringify(answer)}`);
    const [event] = await log.events.read(workshopId, answer.from - 1, 1);
    // Synchronous: what is printed was acknowledged before the process died.
    writeSync(1, `${workshopId} ${answer.from} ${answer.to} ${event?.commandId}\n`);
  }
}

await Promise.all([1, 2, 3, 4].map(write));
