/**
 * The first step of joining (`presence.ts`, 1): whoever a command would let in is held by this node before the command is
 * decided. The queue of the engine asks for it.
 */
import { type CommandName, commandOf } from '../domain/catalog.ts';
import type { Command } from '../domain/decide.ts';
import type { Presence } from '../log/log.ts';

/** A command that waits to be decided. */
export interface Undecided {
  command: Command;
  /** Whether it may be decided: nobody needs to be held for it, or they are. */
  held: boolean;
  /** It is refused on a room that is as new as this or newer (`performance.now()`). */
  received: number;
}

/** Whether the command brings a user's presence about. */
export function letsIn(name: CommandName): boolean {
  return name === 'join' || name === 'rejoin-user';
}

export interface Holding {
  presence: Pick<Presence, 'hold'>;
  node: string;
  workshopId: number;
  /** Users to one call at most. */
  most: number;
}

/** Writes the holds of those at the front. Joins carry no command id, so those that wait together share one call. */
export async function holdNewcomers(
  { presence, node, workshopId, most }: Holding,
  waiting: readonly Undecided[],
): Promise<void> {
  const newcomers = unheld(waiting, most);
  if (newcomers.length === 0) return;
  await presence.hold(workshopId, [...new Set(newcomers.map(({ command }) => userOf(command)))], node);
  for (const each of newcomers) {
    each.held = true;
    // What the room knew before the hold was written may have ended since.
    each.received = performance.now();
  }
}

/** Up to the first command that ends a presence: the order between the two must stay. */
function unheld(waiting: readonly Undecided[], most: number): Undecided[] {
  const found: Undecided[] = [];
  for (const each of waiting) {
    if (commandOf(each.command.name).endsPresenceOf !== undefined) break;
    if (!each.held) found.push(each);
    if (found.length === most) break;
  }
  return found;
}

function userOf({ actor, payload }: Command): number {
  if (actor.kind === 'user') return actor.userId;
  return (payload as { userId: number }).userId;
}
