/** Lists page by page, and what reads of the tables have in common. */
import { CodedError } from '../../src/protocol/errors.ts';
import { isRefusal } from './database.ts';

export interface Page<T> {
  items: T[];
  /** Opaque; null at the end. */
  nextCursor: string | null;
}

export interface PageRequest {
  cursor?: string | undefined;
  /** Items at most. */
  limit: number;
}

/** The sort key after which the page begins. A cursor that was not given out here is `invalid_payload`. */
export function keyOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const key = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(key) || cursorOf(key) !== cursor)
    throw new CodedError('invalid_payload', 'the cursor is not one that was given out here');
  return key;
}

function cursorOf(key: number): string {
  return Buffer.from(String(key), 'latin1').toString('base64url');
}

/** Makes a page of one row more than its limit: that one tells that there is another page. */
export function pageOf<R, T>(
  rows: R[],
  limit: number,
  view: (row: R) => T,
  key: (row: R) => number,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(view), nextCursor: more ? cursorOf(key(last)) : null };
}

/** A read; a database that does not answer is `unavailable`. */
export async function reading<T>(read: () => PromiseLike<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CodedError || isRefusal(error)) throw error;
    throw new CodedError('unavailable', 'the database cannot be reached right now: try again', {
      cause: error,
    });
  }
}
