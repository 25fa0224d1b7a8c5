/** The shape of a workshop: how long each part takes, and when the host turns to the audience. */

import type { PlanOptions } from './acts.ts';
import type { Chance } from './chance.ts';

/** Milliseconds; instants count from going live. */
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
