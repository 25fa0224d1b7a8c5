/** What is sent of an event. */
import type { RecordedEvent } from '../domain/evolve.ts';
import { wireData } from '../protocol/wire.ts';

const prefix = 'workshop.';

export const messageType = (type: string): string => `${prefix}${type}`;

/** `workshop.chat-message` and `chat-message` are the same. */
export const bareType = (type: string): string =>
  type.startsWith(prefix) ? type.slice(prefix.length) : type;

/** The body. `startedAt`: when the workshop went live, milliseconds since 1970; null before. Deleted texts are gone from the event. */
export function messageOf(workshopId: number, event: RecordedEvent, startedAt: number | null): string {
  const { version, type, by } = event;
  const at = new Date(event.at).toISOString();
  const data = wireData(event, { startedAt, deleted: new Set() });
  return JSON.stringify({
    ...{ type: messageType(type), timestamp: at },
    data: { workshopId, version, at, by, ...data },
  });
}

/** What a webhook is tried with: no event, and nothing that anyone has to do something about. */
export function testMessage(webhookId: number, now: number): string {
  const timestamp = new Date(now).toISOString();
  return JSON.stringify({ type: 'webhook.test', timestamp, data: { webhookId } });
}
