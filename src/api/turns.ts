/**
 * Turns at what is expensive to answer: of one user so many are under way at once, the next ones wait, and beyond a number of
 * waiting ones they are refused. Others do not wait for them.
 */
import type { ServerResponse } from 'node:http';
import { refused } from './errors.ts';

export interface Turns {
  /** Resolves when it is the caller's turn, which ends when the response is done or its reader has gone away. */
  take(userId: number, response: ServerResponse): Promise<void>;
}

export interface TurnsSettings {
  atOnce: number;
  waiting: number;
}

interface Line {
  running: number;
  waiting: (() => void)[];
}

export function turns({ atOnce, waiting }: TurnsSettings): Turns {
  const lines = new Map<number, Line>();

  return {
    async take(userId, response) {
      const line = lines.get(userId) ?? { running: 0, waiting: [] };
      lines.set(userId, line);
      if (line.running >= atOnce) {
        if (line.waiting.length >= waiting)
          throw refused('rate_limited', 'you are reading too much at once: wait for an answer');
        // Who goes away meanwhile keeps the place, and hands it on at once when it comes.
        await new Promise<void>((resolve) => line.waiting.push(resolve));
      } else line.running++;
      // Nothing is held for who went away before.
      if (response.closed) end(userId, line);
      else response.once('close', () => end(userId, line));
    },
  };

  function end(userId: number, line: Line): void {
    const next = line.waiting.shift();
    // The place is handed on, so that nobody who comes just now slips in between.
    if (next !== undefined) next();
    else if (--line.running === 0) lines.delete(userId);
  }
}
