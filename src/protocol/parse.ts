/** Payloads from outside, parsed once at the edge into new objects. */
import type { z } from 'zod';
import { type CommandName, commandOf } from '../domain/catalog.ts';
import { commandHeader } from './wire.ts';

export interface ParsedCommand {
  workshopId: number;
  commandId: string | undefined;
  payload: unknown;
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; detail: string };

/** The value, or what is wrong with it and where: `targetUserId: expected number`. */
export function parse<S extends z.ZodType>(schema: S, raw: unknown): Parsed<z.output<S>> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') || 'payload';
  return { ok: false, detail: `${path}: ${issue?.message ?? 'is not valid'}` };
}

export function parseCommand(name: CommandName, raw: unknown): Parsed<ParsedCommand> {
  const header = parse(commandHeader, raw);
  if (!header.ok) return header;
  const payload = parse(commandOf(name).payload, raw);
  if (!payload.ok) return payload;
  const { workshopId, commandId } = header.value;
  return { ok: true, value: { workshopId, commandId, payload: payload.value } };
}
