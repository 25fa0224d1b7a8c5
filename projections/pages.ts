/** Reading a workshop's stream although some of it can't be parsed. */
import type { RecordedEvent } from '../src/domain/evolve.ts';
import { readAll } from '../src/log/log.ts';
import type { ProjectedLog } from './feed.ts';

/** Events that follow on each other, or the one entry between them that can't be parsed. */
export type Step =
  | { kind: 'events'; events: RecordedEvent[] }
  | { kind: 'unreadable'; version: number; error: SyntaxError };

/** Everything after a version, `page` events at a time. */
export async function* stepsOf(
  log: Pick<ProjectedLog, 'read'>,
  workshopId: number,
  after: number,
  page: number,
): AsyncGenerator<Step> {
  let version = after;
  let size = page;
  for (;;) {
    try {
      for await (const events of readAll(log, workshopId, version, size)) {
        yield { kind: 'events', events };
        version = events.at(-1)?.version ?? version;
      }
      return;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      if (size === 1) {
        version++;
        yield { kind: 'unreadable', version, error };
      }
      // One by one up to the entry itself, and then on as before.
      size = size === 1 ? page : 1;
    }
  }
}

export interface Kept {
  version: number;
  eventId: string;
}

/** Stands for the id of an event whose entry in the log can't be parsed. */
export const unreadableId = (version: number): string => `unreadable-${version}`;

/** Whether the log has that very event at that version. */
export async function isInLog(
  log: Pick<ProjectedLog, 'read'>,
  workshopId: number,
  { version, eventId }: Kept,
): Promise<boolean> {
  try {
    const [event] = await log.read(workshopId, version - 1, 1);
    return event?.version === version && event.eventId === eventId;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return eventId === unreadableId(version);
  }
}
