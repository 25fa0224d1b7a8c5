/** What the engine is asked, what it answers, and what it tells of its work. */
import type { CommandName } from '../domain/catalog.ts';
import type { Actor } from '../domain/define.ts';
import type { ErrorCode, WireError } from '../protocol/errors.ts';

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

/** What the engine tells of its work; metrics listen to it. */
export interface EngineObserver {
  appended?(events: number, ms: number): void;
  conflicted?(): void;
  refused?(name: CommandName, code: ErrorCode): void;
  failed?(error: unknown): void;
}

/** Why a repeated command id is a `conflict`. */
export const reused = 'this command id was used for another command';
