/** Which of the waiting commands go into the next append together. */
import { actorId, decide, marksRead } from '../domain/decide.ts';
import type { Decision, Mark } from '../domain/define.ts';
import { maxEventsPerAppend } from '../log/log.ts';
import { type Cell, fail, type Pending, take } from './cell.ts';
import { type Draft, draft, marksOf, wakesTimer } from './draft.ts';

/** Commands to one append at most, and to one round of checks. */
export const maxGroup = 128;

export interface Group {
  base: number;
  members: { pending: Pending; draft: Draft }[];
  wakes: boolean;
}

/**
 * The longest run of commands from the front that can be appended together. A refusal is settled on the way only where the
 * room is known to be as new as the command.
 */
export function nextGroup(cell: Cell): Group {
  const group: Group = { base: cell.room.version, members: [], wakes: false };
  const changed = new Set<Mark>();
  const settled = new Set<Pending>();
  let events = 0;
  for (const pending of cell.pending) {
    if (!pending.held || group.members.length === maxGroup) break;
    const { room } = cell;
    // The same command sent twice at once: the second one finds the first in the log.
    if (group.members.some((member) => isSameId(member.pending, pending))) break;
    if (changed.size > 0 && marksRead(room, pending.command).some((mark) => changed.has(mark))) break;
    const decision = decide(room, pending.command);
    if (decision.kind !== 'append') {
      if (!mayRefuse(cell, pending)) break;
      settled.add(pending);
      settleDecided(cell, pending, decision);
      continue;
    }
    if (decision.events.length > maxEventsPerAppend) {
      // It would never fit, and wait for ever.
      settled.add(pending);
      fail(pending, 'internal', `a command may append ${maxEventsPerAppend} events at most`, false);
      continue;
    }
    events += decision.events.length;
    if (events > maxEventsPerAppend) break;
    const drafted = draft(room, pending.command, decision.events, pending.commandId);
    for (const event of decision.events) {
      for (const mark of marksOf(event)) changed.add(mark);
      group.wakes ||= wakesTimer(event, room);
    }
    group.members.push({ pending, draft: drafted });
  }
  if (settled.size > 0) take(cell, settled);
  return group;
}

function isSameId(one: Pending, other: Pending): boolean {
  return (
    one.commandId !== undefined &&
    one.commandId === other.commandId &&
    actorId(one.command.actor) === actorId(other.command.actor)
  );
}

function mayRefuse(cell: Cell, pending: Pending): boolean {
  return cell.freshAsOf >= pending.received && (pending.commandId === undefined || pending.idChecked);
}

function settleDecided(cell: Cell, pending: Pending, decision: Exclude<Decision, { kind: 'append' }>): void {
  if (decision.kind === 'refused') fail(pending, decision.code);
  else pending.settle({ ok: true, version: cell.room.version, changed: false, epoch: cell.epoch });
}
