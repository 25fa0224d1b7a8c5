/** Which rooms are followed on which socket: one follower each, shared by everyone who asks for it. */
import type { Socket } from 'socket.io-client';
import { type Follower, type FollowerOptions, follower } from './follower.ts';

const registry = new WeakMap<Socket, Map<number, Follower>>();

/** The follower of that room on that socket. Asking for it does nothing yet; options count for whoever asks first. */
export function followerOf(socket: Socket, workshopId: number, options?: FollowerOptions): Follower {
  const followers = registry.get(socket) ?? new Map<number, Follower>();
  registry.set(socket, followers);
  const known = followers.get(workshopId);
  if (known !== undefined) return known;
  const made = follower(socket, workshopId, options);
  followers.set(workshopId, made);
  return made;
}

/** Everything that is followed on a socket. */
export function followersOf(socket: Socket): Follower[] {
  return [...(registry.get(socket)?.values() ?? [])];
}
