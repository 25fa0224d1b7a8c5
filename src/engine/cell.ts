/** A workshop as a node keeps it for its commands, and the commands that wait for it. */
import type { Command } from '../domain/decide.ts';
import type { Room } from '../domain/room.ts';
import { type ErrorCode, wireError } from '../protocol/errors.ts';
import type { Outcome } from './outcome.ts';

/** A command on its way. */
export interface Pending {
  command: Command;
  commandId: string | undefined;
  /** `performance.now()`. */
  received: number;
  /** By the log's clock. */
  deadline: number;
  /** Whether the node's hold on the user is written, where one is needed. */
  held: boolean;
  /** Whether the log said that it does not know the id. */
  idChecked: boolean;
  settle(outcome: Outcome): void;
}

/** A workshop on this node: its room, and the commands that wait for it. */
export interface Cell {
  id: number;
  room: Room;
  epoch: string;
  /** The room held everything that was in the log at this time (`performance.now()`). */
  freshAsOf: number;
  loaded: boolean;
  /** The log has no stream of it: the room was folded from what was kept elsewhere. */
  kept: boolean;
  pending: Pending[];
  working: Promise<void> | null;
}

/** Takes commands out of the queue, wherever they stand in it. */
export function take(cell: Cell, done: ReadonlySet<Pending>): void {
  cell.pending = cell.pending.filter((pending) => !done.has(pending));
}

export function fail(pending: Pending, code: ErrorCode, detail?: string, retryable?: boolean): void {
  pending.settle({ ok: false, error: wireError(code, detail, retryable) });
}
