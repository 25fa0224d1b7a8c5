/**
 * The language of the domain's tests: `given(events…).when(command, payload, who).then(events…)`.
 * Event n happened n seconds after `begin`; ids are written out, so whole decisions are compared literally.
 */
import { expect } from 'vitest';
import {
  type CommandInput,
  type CommandName,
  commandOf,
  type EventType,
  eventOf,
} from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Actor, Decision, NewEvent, RefusalCode } from '../../src/domain/define.ts';
import { evolve, fold, type RecordedEvent } from '../../src/domain/evolve.ts';
import type { Room } from '../../src/domain/room.ts';

/** 2026-03-02T09:00:00.000Z, in milliseconds since 1970. */
export const begin = 1_772_442_000_000;
export const workshopId = 41;

/** The event as the log would hold it; by default `version` seconds after `begin`. */
export function recorded(event: NewEvent, version: number, at = begin + version * 1_000): RecordedEvent {
  return {
    ...event,
    version,
    at,
    eventId: `00000000-0000-7000-8000-${String(version).padStart(12, '0')}`,
    schema: eventOf(event.type as EventType).schema,
    by: 'system',
    commandId: `c${version}`,
  };
}

export function history(events: readonly NewEvent[]): RecordedEvent[] {
  return events.map((event, index) => recorded(event, index + 1));
}

export function roomAfter(...events: readonly NewEvent[]): Room {
  return fold(workshopId, history(events));
}

/** The decision on a payload as a client sends it. Throws where the payload is not valid, or where deciding changed the room. */
export function decideOn(room: Room, name: CommandName, input: unknown, actor: Actor): Decision {
  const before = structuredClone(room);
  const decision = decide(room, { name, payload: commandOf(name).payload.parse(input), actor });
  expect(room, `deciding ${name} must not change the room`).toEqual(before);
  return decision;
}

/** The room after the decision's events, each of them checked against its own schema. */
export function roomAfterDecision(room: Room, decision: Decision): Room {
  const next = structuredClone(room);
  if (decision.kind !== 'append') return next;
  for (const event of decision.events) {
    expect(eventOf(event.type as EventType).data.parse(event.data)).toEqual(event.data);
    evolve(next, recorded(event, next.version + 1, next.at + 1_000));
  }
  return next;
}

interface Outcome {
  /** Appends these events and no others. Gives the room as it is then. */
  then(...events: NewEvent[]): Room;
  refuses(code: RefusalCode): void;
  /** What was asked for already holds. */
  changesNothing(): void;
}

export function given(...past: NewEvent[]) {
  return {
    when<N extends CommandName>(name: N, input: CommandInput[N], actor: Actor): Outcome {
      const room = roomAfter(...past);
      const decision = decideOn(room, name, input, actor);
      return {
        // biome-ignore lint/suspicious/noThenProperty: the word of the specification style; nobody awaits it
        then(...events) {
          expect(decision).toEqual({ kind: 'append', events });
          return roomAfterDecision(room, decision);
        },
        refuses: (code) => expect(decision).toEqual({ kind: 'refused', code }),
        changesNothing: () => expect(decision).toEqual({ kind: 'unchanged' }),
      };
    },
  };
}
