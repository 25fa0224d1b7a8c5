/** Chat by the thousand, straight into a log: for what has to be large and need not have been decided. */
import { v7 } from 'uuid';
import type { Draft, EventLog } from '../../src/log/log.ts';

export interface Talk {
  workshopId: number;
  count: number;
  message: string;
}

const atOnce = 500;

/** Messages of user 1, after what the workshop has. */
export async function appendChat(log: EventLog, { workshopId, count, message }: Talk): Promise<void> {
  const data = JSON.stringify({ userId: 1, displayName: 'Hanna Host', avatarUrl: null, message });
  const draft = (): Draft => ({ eventId: v7(), type: 'chat-message', schema: 1, data, marks: [] });
  let base = (await log.events.head(workshopId))?.version ?? 0;
  for (let done = 0; done < count; done += atOnce) {
    const events = Array.from({ length: Math.min(atOnce, count - done) }, draft);
    const command = { by: 1, commandId: v7(), fingerprint: '', remember: false, reads: [], events };
    const deadline = log.now() + 60_000;
    const answer = await log.events.append({ workshopId, base, deadline, node: 'talk', commands: [command] });
    if (answer.kind !== 'appended') throw new Error(`not appended but ${answer.kind}`);
    base += events.length;
  }
}
