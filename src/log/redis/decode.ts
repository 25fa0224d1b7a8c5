/** From Redis' replies to recorded events. */
import { z } from 'zod';
import type { RecordedEvent } from '../../domain/evolve.ts';
import type { FeedEntry } from '../log.ts';

/** A stream entry as ioredis gives it: id, and names and values in turn. */
export const streamEntries = z.array(z.tuple([z.string(), z.array(z.string())]));
type StreamEntry = z.infer<typeof streamEntries>[number];

function field(fields: readonly string[], index: number): string {
  const value = fields[index];
  // As what is no JSON: whoever reads on knows that this entry will never be read.
  if (value === undefined) throw new SyntaxError('a stream entry is shorter than this version writes them');
  return value;
}

function author(by: string): number | 'system' {
  return by === 'system' ? by : Number(by);
}

function sequence(id: string): number {
  return Number.parseInt(id, 10);
}

/** The order of the fields is fixed by `append.lua`. */
export function recordedEvent([id, fields]: StreamEntry): RecordedEvent {
  return {
    version: sequence(id),
    eventId: field(fields, 1),
    type: field(fields, 3),
    schema: Number(field(fields, 5)),
    at: Number(field(fields, 7)),
    by: author(field(fields, 9)),
    commandId: field(fields, 11),
    data: JSON.parse(field(fields, 13)),
  };
}

export function recordedEvents(reply: unknown): RecordedEvent[] {
  // The replies of our own scripts and of XRANGE: their shape is the server's promise, checking each entry would cost
  // more than parsing it.
  return (reply as StreamEntry[]).map(recordedEvent);
}

const head = 8;
const perEvent = 6;

/** An entry of the feed: `w` workshop, `v` first version, `e` epoch, `at`, and six values for each event. */
export function feedEntry([, fields]: StreamEntry): FeedEntry {
  const from = Number(field(fields, 3));
  const at = Number(field(fields, 7));
  const count = (fields.length - head) / perEvent;
  return {
    workshopId: Number(field(fields, 1)),
    from,
    to: from + count - 1,
    epoch: field(fields, 5),
    events() {
      return Array.from({ length: count }, (_, index) => {
        const first = head + index * perEvent;
        return {
          version: from + index,
          at,
          eventId: field(fields, first),
          type: field(fields, first + 1),
          schema: Number(field(fields, first + 2)),
          by: author(field(fields, first + 3)),
          commandId: field(fields, first + 4),
          data: JSON.parse(field(fields, first + 5)),
        };
      });
    },
  };
}

export function feedSequence([id]: StreamEntry): number {
  return sequence(id);
}

export type { StreamEntry };
