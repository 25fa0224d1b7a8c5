/** Which moment of a workshop is meant: by a version, a time, or the time since it went live. */
import type { Room } from '../domain/room.ts';
import { CodedError } from '../protocol/errors.ts';

/** Everything up to a version, or everything up to a time, the events of that very millisecond included. */
export type Moment = { version: number } | { at: number };

/** One of them at most; times are milliseconds, `at` since 1970 and `offsetMs` since the workshop went live. */
export interface Asked {
  version?: number | undefined;
  at?: number | undefined;
  offsetMs?: number | undefined;
}

/** What of the present room bounds the moments that there are. */
export type Bounds = Pick<Room, 'version' | 'createdAt' | 'startedAt'>;

/** Undefined where none was asked for. Throws `invalid_payload` that names what there is where it is not among it. */
export function momentOf({ version, at, offsetMs }: Asked, present: Bounds): Moment | undefined {
  if ([version, at, offsetMs].filter((each) => each !== undefined).length > 1)
    throw outside('version, at and offset exclude each other: give one of them, or none for the newest');
  if (version !== undefined) {
    if (version < 1 || version > present.version)
      throw outside(`version: there is no version ${version}, only 1 to ${present.version}`);
    return { version };
  }
  if (at !== undefined) {
    if (at < present.createdAt)
      throw outside(`at: the workshop was made at ${iso(present.createdAt)}, and has no state before`);
    return { at };
  }
  if (offsetMs === undefined) return undefined;
  if (present.startedAt === null)
    throw outside(
      `offset: the workshop was never started, so nothing is counted from there: ask for a version from 1 to ${present.version}, or a time`,
    );
  if (offsetMs < 0)
    throw outside(`offset: it is counted from the start at ${iso(present.startedAt)}, 0 or more`);
  return { at: present.startedAt + offsetMs };
}

/**
 * Milliseconds since 1970 of a time that someone wrote: ISO 8601 with a zone, or such milliseconds. Undefined where it is
 * neither: a time without a zone is a different one to each reader.
 */
export function instantOf(given: string): number | undefined {
  // A plus in an address that was not encoded arrives as a space.
  const text = given.replace(/ (?=\d\d:?\d\d$)/, '+');
  if (/^\d{1,16}$/.test(text)) return Number(text) <= latest ? Number(text) : undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)$/i.test(text)) return undefined;
  const at = Date.parse(text.replace(',', '.').toUpperCase());
  return Number.isNaN(at) ? undefined : at;
}

/** The last instant that a `Date` can be. */
const latest = 8.64e15;

const iso = (at: number) => new Date(at).toISOString();

function outside(message: string): CodedError {
  return new CodedError('invalid_payload', message);
}
