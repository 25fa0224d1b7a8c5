/** What a script is made of: how long its parts are, and acts; one act is what one person does at one time. */
import type { Chance } from './chance.ts';

export interface PlanOptions {
  seed: number;
  /** How many come, beside the host. */
  attendees: number;
  /** From going live to the end. */
  minutes: number;
  /**
   * How long the server waits for someone whose connection dropped, in the script's own time: a drop is meant to be either
   * well within it or well beyond.
   */
  graceMs: number;
  title?: string | undefined;
}

/** What someone does. Commands have the contract's names; people are meant by their numbers. */
export type Deed =
  | { name: 'schedule-workshop' | 'open-lobby' | 'start' | 'end' | 'rsvp' | 'withdraw-rsvp' }
  | { name: 'invite-users'; targets: number[] }
  /** `cut`: the connection breaks; `return`: it is there again. */
  | { name: 'join' | 'leave' | 'cut' | 'return'; device: number }
  | { name: 'raise-hand' }
  | { name: 'lower-hand'; target?: number }
  | { name: Appointment; target: number }
  | { name: 'remove-user'; target: number; reason: string }
  /** `line` counts the messages of the script. */
  | { name: 'chat'; line: number; message: string }
  | { name: 'delete-chat'; line: number; author: number };

export type Appointment =
  | 'approve-speaker'
  | 'revoke-speaker'
  | 'mute-user'
  | 'promote-cohost'
  | 'demote-cohost'
  | 'readmit-user';

export type Act = Deed & {
  /** Milliseconds from going live, negative before. */
  atMs: number;
  /** The number of who does it. */
  by: number;
  /** The refusal that is meant to come; left out where it is to be done. */
  refused?: 'removed';
};

export interface Ids {
  userIdOf(number: number): number;
  messageIdOf(line: number): number;
}

/**
 * As a command's payload: people and messages by the ids that they have in this playing of the script. Without the workshop's id,
 * and without what scheduling needs, which the script's times alone do not say.
 */
export function payloadOf(act: Act, { userIdOf, messageIdOf }: Ids): Record<string, unknown> {
  switch (act.name) {
    case 'invite-users':
      return { userIds: act.targets.map(userIdOf) };
    case 'chat':
      return { message: act.message };
    case 'delete-chat':
      return { messageId: messageIdOf(act.line) };
    case 'remove-user':
      return { targetUserId: userIdOf(act.target), reason: act.reason };
    default:
      return 'target' in act && act.target !== undefined ? { targetUserId: userIdOf(act.target) } : {};
  }
}

/** Whom an act concerns beside who does it: it waits for what they do before it, and they wait for it. */
export function concerned(act: Act): number[] {
  if (act.name === 'delete-chat') return [act.author];
  if (act.name === 'invite-users') return act.targets;
  return 'target' in act && act.target !== undefined ? [act.target] : [];
}

/** How long each part of a workshop takes, and when the host turns to the audience. Milliseconds; instants count from going live. */
export interface Outline {
  attendees: number;
  graceMs: number;
  /** From the scheduling, and from the opening of the lobby, to the start. */
  leadMs: number;
  lobbyMs: number;
  liveMs: number;
  /** How long a second of human doing takes: a short workshop is a hurried one. */
  secondMs: number;
  /** When the host asks something into the room. */
  rounds: number[];
}

const minute = 60_000;

export function outlineOf({ attendees, minutes, graceMs }: PlanOptions, chance: Chance): Outline {
  const liveMs = minutes * minute;
  const lobbyMs = clamp(liveMs / 4, minute / 2, 15 * minute);
  const rounds = clamp(Math.round(minutes / 8), 2, 12);
  const every = (0.82 * liveMs) / rounds;
  return {
    attendees,
    graceMs,
    leadMs: lobbyMs + clamp(liveMs / 6, minute / 3, 10 * minute),
    lobbyMs,
    liveMs,
    secondMs: clamp(liveMs / 600, 100, 1_000),
    rounds: Array.from({ length: rounds }, (_, n) => 0.1 * liveMs + n * every + chance.between(0, every / 3)),
  };
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
