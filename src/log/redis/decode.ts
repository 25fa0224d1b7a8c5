/**
 * From entries of Redis' streams to recorded events. Fields are found by their names, so that programs of two versions can work
 * on one log: in whatever order they come, and whatever a later version adds, which is passed over. What is missing makes the
 * entry unreadable: it throws a SyntaxError, as what is no JSON does.
 *
 * An entry of a workshop's stream is one event; `usual` lists its fields. An entry of a feed is one append, in one of two forms:
 *
 *   plain      w <workshop>  v <version of the first event>  e <epoch>  at <time>
 *              and then the values of each event without names, in the order of `plain`
 *   described  each <names of an event's values, in order, with spaces between>
 *              w, v, e and at, in any order, among whatever else there is
 *              events <number of events>, and then the values of each
 *
 * Plain ones are written, since programs from before the layout had a number take every entry for one. A version that has more
 * to tell in the feed writes described ones, once no such program is left to run beside it: this one reads them, and the number of
 * the layout stays. See `settings.ts` for changes of any other kind.
 */
import type { RecordedEvent } from '../../domain/evolve.ts';
import type { FeedEntry } from '../log.ts';

/** A stream's entry as ioredis gives it: id, and names and values in turn. */
export type StreamEntry = [id: string, fields: string[]];

export function recordedEvent([id, fields]: StreamEntry): RecordedEvent {
  const { event, type, schema, at, by, command, data } = isUsual(fields) ? usual : placesIn(fields);
  return {
    version: sequence(id),
    eventId: valueAt(fields, event),
    type: valueAt(fields, type),
    schema: Number(valueAt(fields, schema)),
    at: Number(valueAt(fields, at)),
    by: author(valueAt(fields, by)),
    commandId: valueAt(fields, command),
    data: JSON.parse(valueAt(fields, data)),
  };
}

/** Where the values are as `append.lua` writes them. Looking there first decodes 1.55 million entries a second, and not 1.35. */
const usual = { event: 1, type: 3, schema: 5, at: 7, by: 9, command: 11, data: 13 };

function isUsual(fields: readonly string[]): boolean {
  return (
    fields[0] === 'event' &&
    fields[2] === 'type' &&
    fields[4] === 'schema' &&
    fields[6] === 'at' &&
    fields[8] === 'by' &&
    fields[10] === 'command' &&
    fields[12] === 'data'
  );
}

function placesIn(fields: readonly string[]): typeof usual {
  return {
    event: placeOf(fields, 'event'),
    type: placeOf(fields, 'type'),
    schema: placeOf(fields, 'schema'),
    at: placeOf(fields, 'at'),
    by: placeOf(fields, 'by'),
    command: placeOf(fields, 'command'),
    data: placeOf(fields, 'data'),
  };
}

/** The place of the named field's value, of the fields from `start` to before `end`; -1 where there is none. */
export function placeOf(fields: readonly string[], name: string, start = 0, end = fields.length): number {
  for (let index = start; index < end; index += 2) if (fields[index] === name) return index + 1;
  return -1;
}

export function recordedEvents(reply: unknown): RecordedEvent[] {
  // The replies of our own scripts and of XRANGE: their shape is the server's promise, checking each entry would cost
  // more than parsing it.
  return (reply as StreamEntry[]).map(recordedEvent);
}

/** Names of an event's values, in their order. */
const plain = ['event', 'type', 'schema', 'by', 'command', 'data'] as const;

/** Where things are in a feed's entry. */
interface Places {
  workshop: number;
  version: number;
  epoch: number;
  at: number;
  /** The first event's values, and the names of each one's. */
  first: number;
  names: readonly string[];
}

const plainPlaces: Places = { workshop: 1, version: 3, epoch: 5, at: 7, first: 8, names: plain };

export function feedEntry([, fields]: StreamEntry): FeedEntry {
  if (fields[0] === 'each') return describedEntry(fields);
  const isPlain = fields[0] === 'w' && fields[2] === 'v' && fields[4] === 'e' && fields[6] === 'at';
  if (!isPlain) throw unreadable();
  return entryAt(fields, plainPlaces, (fields.length - plainPlaces.first) / plain.length);
}

function describedEntry(fields: readonly string[]): FeedEntry {
  const count = placeOf(fields, 'events', 2);
  const place = (name: string) => placeOf(fields, name, 2, count - 1);
  const places: Places = {
    workshop: place('w'),
    version: place('v'),
    epoch: place('e'),
    at: place('at'),
    first: count + 1,
    names: valueAt(fields, 1).split(' '),
  };
  return entryAt(fields, places, Number(valueAt(fields, count)));
}

function entryAt(fields: readonly string[], places: Places, count: number): FeedEntry {
  if (!Number.isInteger(count) || count < 0) throw unreadable();
  const from = Number(valueAt(fields, places.version));
  return {
    workshopId: Number(valueAt(fields, places.workshop)),
    from,
    to: from + count - 1,
    epoch: valueAt(fields, places.epoch),
    events() {
      const at = Number(valueAt(fields, places.at));
      const { first: start, names } = places;
      const { event, type, schema, by, command, data } = names === plain ? inPlain : offsets(names);
      return Array.from({ length: count }, (_, index) => {
        const first = start + index * names.length;
        return {
          version: from + index,
          at,
          eventId: valueAt(fields, first + event),
          type: valueAt(fields, first + type),
          schema: Number(valueAt(fields, first + schema)),
          by: author(valueAt(fields, first + by)),
          commandId: valueAt(fields, first + command),
          data: JSON.parse(valueAt(fields, first + data)),
        };
      });
    },
  };
}

type Offsets = Record<(typeof plain)[number], number>;
const inPlain = offsets(plain);

/** Where each of an event's values is among them. */
function offsets(names: readonly string[]): Offsets {
  const at = (name: string) => {
    const index = names.indexOf(name);
    if (index === -1) throw unreadable();
    return index;
  };
  return {
    event: at('event'),
    type: at('type'),
    schema: at('schema'),
    by: at('by'),
    command: at('command'),
    data: at('data'),
  };
}

export function feedSequence([id]: StreamEntry): number {
  return sequence(id);
}

function valueAt(fields: readonly string[], place: number): string {
  const value = fields[place];
  if (value === undefined) throw unreadable();
  return value;
}

/** As what is no JSON: whoever reads on knows that this entry will never be read. */
function unreadable(): SyntaxError {
  return new SyntaxError('an entry of a stream lacks a field that this version reads');
}

function author(by: string): number | 'system' {
  return by === 'system' ? by : Number(by);
}

function sequence(id: string): number {
  return Number.parseInt(id, 10);
}
