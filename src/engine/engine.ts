/**
 * Handling commands: validated outside, decided on a room that is kept fresh, appended in one step.
 * The engine neither knows sockets nor broadcasts: what clients see comes from the tail of the log alone.
 */
import type { CommandName } from '../domain/catalog.ts';
import type { Actor } from '../domain/define.ts';
import type { Room } from '../domain/room.ts';
import type { WireError } from '../protocol/errors.ts';

export interface CommandRequest {
  workshopId: number;
  name: CommandName;
  /** Parsed by the command's own schema. */
  payload: unknown;
  actor: Actor;
  /** Chosen by the client, so that it may send the command again. */
  commandId?: string | undefined;
}

/** `version` is that of the last event appended, or the workshop's present one where nothing was. */
export type Outcome =
  | { ok: true; version: number; changed: boolean; epoch: string }
  | { ok: false; error: WireError };

export interface Engine {
  /**
   * Commands to one workshop take effect in the order in which they were handed in. Never rejects: a refusal and a fault
   * are both outcomes.
   */
  handle(request: CommandRequest): Promise<Outcome>;
  /**
   * The room as it is now: it holds everything that was acknowledged before the call, on any node. Undefined where the
   * log has no such workshop. Belongs to the engine: read it at once, do not keep or change it.
   */
  room(workshopId: number): Promise<Readonly<Room> | undefined>;
  close(): Promise<void>;
}
