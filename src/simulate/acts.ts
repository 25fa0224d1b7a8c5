/** What a script is made of: one act is what one person does at one time. */

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
