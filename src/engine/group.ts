/** The next append: which of the waiting commands go into it together, what was decided on each, and how the log gets it. */
import { commandOf, eventOf, isEventType } from '../domain/catalog.ts';
import { actorId, type Command, decide, marksRead } from '../domain/decide.ts';
import type { Decision, EventDefinition, Mark, NewEvent } from '../domain/define.ts';
import type { Room } from '../domain/room.ts';
import { type DraftCommand, maxEventsPerAppend } from '../log/log.ts';
import { newId } from './ids.ts';
import { fail, fingerprint, type Pending } from './pending.ts';
import type { CachedRoom } from './rooms.ts';

/** Commands to one append at most, and to one round of checks. */
export const maxGroup = 128;

export interface Group {
  /** The version that it was decided on. */
  base: number;
  members: Member[];
  /** Whether any of its events may move the workshop's next timer. */
  wakes: boolean;
  /** Those that need no append: what they ask for holds already, or they are refused. They are answered. */
  settled: Set<Pending>;
}

export interface Member {
  pending: Pending;
  draft: Draft;
}

/**
 * The longest run of commands from the front that can be appended together. A refusal is settled on the way only where the
 * room is known to be as new as the command.
 */
export function nextGroup(cached: CachedRoom, waiting: readonly Pending[]): Group {
  const { room } = cached;
  const group: Group = { base: room.version, members: [], wakes: false, settled: new Set() };
  const changed = new Set<Mark>();
  let events = 0;
  for (const pending of waiting) {
    if (!pending.held || group.members.length === maxGroup) break;
    // The same command sent twice at once: the second one finds the first in the log.
    if (group.members.some((member) => isSameId(member.pending, pending))) break;
    const reads = marksRead(room, pending.command);
    if (changed.size > 0 && reads.some((mark) => changed.has(mark))) break;
    const decision = decide(room, pending.command);
    if (decision.kind !== 'append') {
      if (!mayRefuse(cached, pending)) break;
      group.settled.add(pending);
      settleDecided(cached, pending, decision);
      continue;
    }
    if (decision.events.length > maxEventsPerAppend) {
      // It would never fit, and wait for ever.
      group.settled.add(pending);
      fail(pending, 'internal', `a command may append ${maxEventsPerAppend} events at most`, false);
      continue;
    }
    events += decision.events.length;
    if (events > maxEventsPerAppend) break;
    const drafted = draft(room, pending, { decided: decision.events, reads });
    for (const { marks } of drafted.events) for (const mark of marks) changed.add(mark);
    group.wakes ||= drafted.wakes;
    group.members.push({ pending, draft: drafted });
  }
  return group;
}

function isSameId(one: Pending, other: Pending): boolean {
  return (
    one.commandId !== undefined &&
    one.commandId === other.commandId &&
    actorId(one.command.actor) === actorId(other.command.actor)
  );
}

function mayRefuse(cached: CachedRoom, pending: Pending): boolean {
  return cached.freshAsOf >= pending.received && (pending.commandId === undefined || pending.idChecked);
}

function settleDecided(
  { room, epoch }: CachedRoom,
  pending: Pending,
  decision: Exclude<Decision, { kind: 'append' }>,
): void {
  if (decision.kind === 'refused') fail(pending, decision.code);
  else pending.settle({ ok: true, version: room.version, changed: false, epoch });
}

/** One command's share of an append. */
export interface Draft extends DraftCommand {
  /** The decided events, to be applied once the log has given them their versions. */
  decided: readonly NewEvent[];
  /** Whether any of them may move the workshop's next timer. */
  wakes: boolean;
}

function draft(
  room: Room,
  { command, commandId }: Pending,
  { decided, reads }: Pick<Draft, 'decided' | 'reads'>,
): Draft {
  const definition = commandOf(command.name);
  const ends = definition.endsPresenceOf?.(command.payload, actorId(command.actor));
  let wakes = false;
  const events = decided.map((event) => {
    const { schema, marks, wakes: mayWake } = definitionOf(event.type);
    // Asked of the room before it.
    wakes ||= mayWake?.(event.data, room) ?? false;
    const data = JSON.stringify(event.data);
    return { eventId: newId(), type: event.type, schema, data, marks: marks(event.data) };
  });
  return {
    by: author(command),
    commandId: commandId ?? newId(),
    // Only a remembered id is ever compared.
    fingerprint: commandId === undefined ? '' : fingerprint(command),
    remember: commandId !== undefined,
    reads,
    events,
    ...(ends !== undefined && { unlessHeld: ends, leaves: command.actor.kind === 'user' }),
    decided,
    wakes,
  };
}

/** Whose command it is, as the log knows them. */
export function author({ actor }: Command): number | 'system' {
  return actor.kind === 'system' ? 'system' : actor.userId;
}

function definitionOf(type: string): EventDefinition {
  if (!isEventType(type)) throw new Error(`a decision made an event of the unknown type ${type}`);
  return eventOf(type);
}
