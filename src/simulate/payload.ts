/** An act as a command's payload: people and messages by the ids that they have in this playing of the script. */
import type { Act } from './acts.ts';

export interface Ids {
  userIdOf(number: number): number;
  messageIdOf(line: number): number;
}

/** Without the workshop's id, and without what scheduling needs, which the script's times alone do not say. */
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
