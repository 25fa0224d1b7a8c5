/**
 * Whether a command may be done, and what is recorded if so. Pure: the same room, actor and payload give the same decision.
 *
 * Where several rules are broken the first of these answers: not_found, removed or not_a_member, forbidden, invalid_state,
 * not_joined, target_not_found, and then what the capability itself refuses.
 */
import { type CommandName, commandOf } from './catalog.ts';
import {
  type Actor,
  type CommandDefinition,
  type Decision,
  type Mark,
  type Question,
  type RefusalCode,
  refuse,
  unchanged,
} from './define.ts';
import { canHappen } from './machine.ts';
import { isHost, isMember, isModerator, isRemoved, type Room } from './room.ts';

export interface Command {
  name: CommandName;
  /** Parsed by the command's own schema. */
  payload: unknown;
  actor: Actor;
}

export function decide(room: Room, command: Command): Decision {
  const definition = commandOf(command.name);
  const by = actorId(command.actor);
  const question: Question<unknown> = { room, payload: command.payload, actor: command.actor, by };

  if (room.version === 0 && command.name !== 'schedule-workshop') return refuse('not_found');
  if (command.actor.kind === 'user') {
    const code = refusalOfActor(definition, question) ?? refusalOfTarget(definition, question);
    if (code !== undefined) return refuse(code);
  }
  if (definition.leadsTo === room.status) return unchanged;
  if (!canHappen(room.status, command.name)) return refuse('invalid_state');
  if (definition.joined?.(question) && !room.present.has(by)) return refuse('not_joined');
  if (!hasTarget(definition, question)) return refuse('target_not_found');
  return definition.decide(question);
}

/** What the decision rests on: it stands while no later event bears one of these marks. */
export function marksRead(room: Room, command: Command): Mark[] {
  const definition = commandOf(command.name);
  const marks: Mark[] = ['room'];
  const by = actorId(command.actor);
  if (by !== 0) marks.push(`user:${by}`);
  const target = definition.target?.of(command.payload);
  if (target !== undefined && target !== by) marks.push(`user:${target}`);
  if (definition.reads !== undefined) marks.push(...definition.reads(command.payload, room));
  return marks;
}

/** Whether someone may know that the workshop exists. */
export function isVisible(room: Room, user: Actor): boolean {
  if (room.version === 0) return false;
  if (room.visibility === 'public' || user.kind === 'system') return true;
  if (user.roles.length > 0) return true;
  return isMember(room, user.userId) || isRemoved(room, user.userId);
}

/** Whether someone may read the workshop's history: host, co-host, analyst. */
export function mayReadHistory(room: Room, user: Actor): boolean {
  return user.kind === 'system' || isModerator(room, user.userId) || user.roles.includes('analyst');
}

export function actorId(actor: Actor): number {
  return actor.kind === 'user' ? actor.userId : 0;
}

function refusalOfActor(definition: CommandDefinition, question: Question<unknown>): RefusalCode | undefined {
  const { room, actor, by } = question;
  if (room.version === 0) return undefined;
  if (!isVisible(room, actor)) return 'not_found';
  const asAdmin = definition.admins === true && actor.kind === 'user' && actor.roles.includes('admin');
  if (!asAdmin) {
    if (isRemoved(room, by)) return 'removed';
    // Who sees a private workshop by a role alone, such as an analyst, was not asked to come.
    const open = definition.who === 'stranger' && room.visibility === 'public';
    if (!open && !isMember(room, by)) return 'not_a_member';
  }
  if (definition.who === 'system') return 'forbidden';
  if (definition.who === 'host' && !isHost(room, by)) return 'forbidden';
  if (definition.who === 'moderator' && !isModerator(room, by)) return 'forbidden';
  if (definition.may?.(question) === false) return 'forbidden';
  return undefined;
}

function refusalOfTarget(
  definition: CommandDefinition,
  { room, payload, by }: Question<unknown>,
): RefusalCode | undefined {
  const target = definition.target?.of(payload);
  if (target === undefined) return undefined;
  if (definition.target?.sparesHost && isHost(room, target)) return 'forbidden';
  if (definition.target?.sparesCoHosts && room.coHosts.has(target) && !isHost(room, by)) return 'forbidden';
  return undefined;
}

function hasTarget(definition: CommandDefinition, { room, payload, by }: Question<unknown>): boolean {
  const target = definition.target?.of(payload);
  if (target === undefined || target === by) return true;
  return isMember(room, target) || (definition.target?.removedToo === true && isRemoved(room, target));
}
