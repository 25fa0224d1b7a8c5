/** A command on its way through the engine: what was asked, how far it has come, and what becomes of it. */
import { createHash } from 'node:crypto';
import type { CommandName } from '../domain/catalog.ts';
import type { Command } from '../domain/decide.ts';
import type { Actor } from '../domain/define.ts';
import type { Done } from '../log/log.ts';
import type { Undecided } from '../presence/holds.ts';
import { type ErrorCode, type WireError, wireError } from '../protocol/errors.ts';

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

export interface Pending extends Undecided {
  commandId: string | undefined;
  /** By the log's clock. */
  deadline: number;
  /** Whether the log said that it does not know the id. */
  idChecked: boolean;
  settle(outcome: Outcome): void;
}

export function fail(pending: Pending, code: ErrorCode, detail?: string, retryable?: boolean): void {
  pending.settle({ ok: false, error: wireError(code, detail, retryable) });
}

/** Something was done before under its id: it gets the first answer, unless that was another command. */
export function settleDone(
  pending: Pending,
  { version }: Pick<Done, 'version'>,
  { isSame, epoch }: { isSame: boolean; epoch: string },
): void {
  if (isSame) pending.settle({ ok: true, version, changed: true, epoch });
  else fail(pending, 'conflict', reused, false);
}

/** Why a repeated command id is a `conflict`. */
export const reused = 'this command id was used for another command';

/** Same for the same command with the same payload, and for nothing else. */
export function fingerprint(command: Pick<Command, 'name' | 'payload'>): string {
  const text = JSON.stringify([command.name, command.payload]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
