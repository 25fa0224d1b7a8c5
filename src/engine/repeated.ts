/**
 * Whether a command that comes under a used id is the one that was done. The log remembers what was sent under an id
 * (`fingerprint`) for as long as an id is remembered; where that memory was lost and the events were put back from elsewhere, the
 * events themselves tell: the command is decided once more on the room as it was.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Command, decide } from '../domain/decide.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import { evolveAll } from '../domain/evolve.ts';
import { emptyRoom } from '../domain/room.ts';
import { current } from '../domain/upcast.ts';
import { type Done, maxEventsPerAppend, readAll, type WorkshopEvents } from '../log/log.ts';
import { fingerprint } from './pending.ts';

export async function isSameCommand(
  events: Pick<WorkshopEvents, 'read'>,
  workshopId: number,
  command: Command,
  done: Done,
): Promise<boolean> {
  if (done.fingerprint !== '') return done.fingerprint === fingerprint(command);
  const recorded = await eventsOf(events, workshopId, done.version);
  const [first] = recorded;
  // Nobody can tell any more.
  if (first === undefined) return true;
  const room = emptyRoom(workshopId);
  for await (const page of readAll(events, workshopId)) {
    evolveAll(
      room,
      page.filter(({ version }) => version < first.version),
    );
    if ((page.at(-1)?.version ?? 0) >= first.version) break;
  }
  const decision = decide(room, command);
  if (decision.kind !== 'append' || decision.events.length !== recorded.length) return false;
  return recorded.every((event, index) => {
    const again = decision.events[index];
    return (
      again?.type === event.type && (isTakenBack(event) || isDeepStrictEqual(again.data, current(event).data))
    );
  });
}

/** All that the command appended whose last event has that version. */
async function eventsOf(
  events: Pick<WorkshopEvents, 'read'>,
  workshopId: number,
  version: number,
): Promise<RecordedEvent[]> {
  const from = Math.max(0, version - maxEventsPerAppend);
  const before = await events.read(workshopId, from, version - from);
  const last = before.at(-1);
  return last?.version === version ? before.filter((event) => isBy(event, last)) : [];
}

function isBy(event: RecordedEvent, { by, commandId }: RecordedEvent): boolean {
  return event.by === by && event.commandId === commandId;
}

/** What was said is not known any more. */
function isTakenBack({ data }: RecordedEvent): boolean {
  return typeof data === 'object' && data !== null && 'deleted' in data;
}
