/** All events and all commands, by name. A capability that is not listed here does not exist. */
import type { z } from 'zod';
import * as attendance from './capabilities/attendance.ts';
import * as chat from './capabilities/chat.ts';
import * as hands from './capabilities/hands.ts';
import * as hosts from './capabilities/hosts.ts';
import * as lifecycle from './capabilities/lifecycle.ts';
import * as membership from './capabilities/membership.ts';
import * as speakers from './capabilities/speakers.ts';
import type { CommandDefinition, EventDefinition } from './define.ts';

export const events = {
  'workshop-scheduled': lifecycle.workshopScheduled,
  'workshop-updated': lifecycle.workshopUpdated,
  'state-changed': lifecycle.stateChanged,
  'user-rsvped': membership.userRsvped,
  'rsvp-withdrawn': membership.rsvpWithdrawn,
  'user-invited': membership.userInvited,
  'user-joined': attendance.userJoined,
  'user-left': attendance.userLeft,
  'user-removed': attendance.userRemoved,
  'user-readmitted': attendance.userReadmitted,
  'cohost-promoted': hosts.coHostPromoted,
  'cohost-demoted': hosts.coHostDemoted,
  'hand-raised': hands.handRaised,
  'hand-lowered': hands.handLowered,
  'speaker-approved': speakers.speakerApproved,
  'speaker-revoked': speakers.speakerRevoked,
  'user-muted': speakers.userMuted,
  'chat-message': chat.chatMessage,
  'chat-deleted': chat.chatDeleted,
} as const;

export const commands = {
  'schedule-workshop': lifecycle.scheduleWorkshop,
  'update-workshop': lifecycle.updateWorkshop,
  'open-lobby': lifecycle.openLobby,
  start: lifecycle.start,
  end: lifecycle.end,
  cancel: lifecycle.cancel,
  rsvp: membership.rsvp,
  'withdraw-rsvp': membership.withdrawRsvp,
  'invite-users': membership.inviteUsers,
  join: attendance.join,
  leave: attendance.leave,
  'drop-user': attendance.dropUser,
  'rejoin-user': attendance.rejoinUser,
  'remove-user': attendance.removeUser,
  'readmit-user': attendance.readmitUser,
  'promote-cohost': hosts.promoteCoHost,
  'demote-cohost': hosts.demoteCoHost,
  'raise-hand': hands.raiseHand,
  'lower-hand': hands.lowerHand,
  'approve-speaker': speakers.approveSpeaker,
  'revoke-speaker': speakers.revokeSpeaker,
  'mute-user': speakers.muteUser,
  chat: chat.chat,
  'delete-chat': chat.deleteChat,
  'withdraw-message': chat.withdrawMessage,
} as const;

export type EventType = keyof typeof events;
export type CommandName = keyof typeof commands;
export type EventData = { [T in EventType]: z.infer<(typeof events)[T]['data']> };
export type CommandPayload = { [N in CommandName]: z.infer<(typeof commands)[N]['payload']> };
export type CommandInput = { [N in CommandName]: z.input<(typeof commands)[N]['payload']> };

export const eventTypes = Object.keys(events) as EventType[];
export const commandNames = Object.keys(commands) as CommandName[];

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(events, type);
}

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

/**
 * The definition by a name that is known at run time only. The table pairs each name with a payload of its own; here that
 * tie is given up, and it is the caller who sees to it that a payload was parsed by the definition's own schema.
 */
export function commandOf(name: CommandName): CommandDefinition {
  return commands[name] as unknown as CommandDefinition;
}

export function eventOf(type: EventType): EventDefinition {
  return events[type] as unknown as EventDefinition;
}
