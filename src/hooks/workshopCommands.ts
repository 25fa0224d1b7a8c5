/** The room's commands as functions. Each resolves to the server's reply and never rejects. */
import { type Reply, refusal } from '../client/reply.ts';
import type { Follower } from '../client/workshopClient.ts';

export interface WorkshopCommands {
  joinWorkshop(): Promise<Reply>;
  leaveWorkshop(): Promise<Reply>;
  raiseHand(): Promise<Reply>;
  /** One's own hand, or another's where one is host or co-host. */
  lowerHand(targetUserId?: number): Promise<Reply>;
  approveSpeaker(targetUserId: number): Promise<Reply>;
  revokeSpeaker(targetUserId: number): Promise<Reply>;
  promoteCoHost(targetUserId: number): Promise<Reply>;
  demoteCoHost(targetUserId: number): Promise<Reply>;
  muteUser(targetUserId: number): Promise<Reply>;
  removeUser(targetUserId: number, reason?: string): Promise<Reply>;
  readmitUser(targetUserId: number): Promise<Reply>;
}

/** Commands to the room of that follower; refused with `not_joined` while there is none. */
export function workshopCommands(follower: Follower | null): WorkshopCommands {
  const nowhere = () => Promise.resolve(refusal('not_joined'));
  const send = (name: string, payload?: object) => follower?.send(name, payload) ?? nowhere();
  const aimed = (name: string) => (targetUserId: number) => send(name, { targetUserId });
  return {
    joinWorkshop: () => follower?.join() ?? nowhere(),
    leaveWorkshop: () => follower?.leave() ?? nowhere(),
    raiseHand: () => send('raise-hand'),
    lowerHand: (targetUserId) => send('lower-hand', targetUserId === undefined ? {} : { targetUserId }),
    approveSpeaker: aimed('approve-speaker'),
    revokeSpeaker: aimed('revoke-speaker'),
    promoteCoHost: aimed('promote-cohost'),
    demoteCoHost: aimed('demote-cohost'),
    muteUser: aimed('mute-user'),
    removeUser: (targetUserId, reason) =>
      send('remove-user', { targetUserId, ...(reason !== undefined && { reason }) }),
    readmitUser: aimed('readmit-user'),
  };
}
