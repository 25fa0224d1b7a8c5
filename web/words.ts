/** The page's English: what codes and states read as to people. */
import type { Refusal, Workshop } from './api.ts';

const refusals: Record<string, string> = {
  unauthenticated: 'You are not signed in any more. Enter your name again.',
  token_expired: 'Your sign-in has run out.',
  not_found: 'There is no such workshop, or it is not open to you.',
  not_a_member: 'This workshop is by invitation.',
  not_joined: 'You are not in the room right now.',
  forbidden: 'You may not do that.',
  invalid_state: 'That is not possible at this stage of the workshop.',
  removed: 'You were removed from this workshop.',
  workshop_full: 'The workshop is full. You will be let in when someone leaves.',
  target_not_found: 'That person or message is not here any more.',
  rate_limited: 'That was a bit fast. Wait a moment and try again.',
  conflict: 'The room is very busy. Try again.',
  unavailable: 'The server cannot be reached right now.',
  internal: 'Something went wrong on the server. Try again.',
  unsupported_protocol: 'This page is out of date. Reload it.',
};

export function sayRefusal(error: Refusal): string {
  if (error.code === 'rate_limited' && error.retryAfterMs !== undefined)
    return `That was a bit fast. Try again in ${sayWait(error.retryAfterMs)}.`;
  return refusals[error.code] ?? `That did not work: ${error.message}.`;
}

/** 1,200 → `2 seconds`: never sooner than it works. */
function sayWait(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  return seconds === 1 ? 'a second' : `${seconds} seconds`;
}

const statuses: Record<Workshop['status'], string> = {
  scheduled: 'Scheduled',
  lobby: 'Lobby open',
  live: 'Live',
  ended: 'Ended',
  cancelled: 'Cancelled',
};

export function sayStatus(status: Workshop['status']): string {
  return statuses[status];
}

export function sayTime(time: Date | string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

export function sayClock(time: Date): string {
  return time.toLocaleTimeString(undefined, { timeStyle: 'short' });
}

const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
const endings: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

/** 1 → `1st`. */
export function sayPlace(place: number): string {
  return `${place}${endings[ordinals.select(place)]}`;
}
