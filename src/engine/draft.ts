/** From a decision to what the log appends. */
import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import { commandOf, eventOf, isEventType } from '../domain/catalog.ts';
import { actorId, type Command, marksRead } from '../domain/decide.ts';
import type { EventDefinition, Mark, NewEvent } from '../domain/define.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import type { Room } from '../domain/room.ts';
import type { DraftCommand } from '../log/log.ts';

/** Same for the same command with the same payload, and for nothing else. */
export function fingerprint(command: Pick<Command, 'name' | 'payload'>): string {
  const text = JSON.stringify([command.name, command.payload]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

function definitionOf(type: string): EventDefinition {
  if (!isEventType(type)) throw new Error(`a decision made an event of the unknown type ${type}`);
  return eventOf(type);
}

export function marksOf({ type, data }: NewEvent): Mark[] {
  return definitionOf(type).marks(data);
}

/** Whether the event may move the workshop's next timer; asked of the room before it. */
export function wakesTimer({ type, data }: NewEvent, room: Room): boolean {
  return definitionOf(type).wakes?.(data, room) ?? false;
}

export interface Draft extends DraftCommand {
  /** The decided events, to be applied once the log has given them their versions. */
  decided: readonly NewEvent[];
}

export function draft(
  room: Room,
  command: Command,
  decided: readonly NewEvent[],
  commandId: string | undefined,
): Draft {
  const definition = commandOf(command.name);
  const by = command.actor.kind === 'system' ? 'system' : command.actor.userId;
  const ends = definition.endsPresenceOf?.(command.payload, actorId(command.actor));
  return {
    by,
    commandId: commandId ?? v7(),
    // Only a remembered id is ever compared.
    fingerprint: commandId === undefined ? '' : fingerprint(command),
    remember: commandId !== undefined,
    reads: marksRead(room, command),
    events: decided.map((event) => ({
      eventId: v7(),
      type: event.type,
      schema: definitionOf(event.type).schema,
      data: JSON.stringify(event.data),
      marks: marksOf(event),
    })),
    ...(ends !== undefined && { unlessHeld: ends, leaves: command.actor.kind === 'user' }),
    decided,
  };
}

/** The appended events as a reader of the log gets them. */
export function recorded(drafts: readonly Draft[], from: number, at: number): RecordedEvent[] {
  let version = from;
  return drafts.flatMap((command) =>
    command.events.map(({ eventId, type, schema }, index) => ({
      version: version++,
      eventId,
      type,
      schema,
      at,
      by: command.by,
      commandId: command.commandId,
      data: command.decided[index]?.data,
    })),
  );
}
