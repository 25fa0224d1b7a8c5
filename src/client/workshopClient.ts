/**
 * The client without a framework: `workshopConnection` makes a socket, `followerOf` gives the room that it follows. All
 * callers with the same socket and workshop share one follower, so one join and one view.
 */
export {
  type Connection,
  type ConnectionSnapshot,
  followerOf,
  followersOf,
  workshopConnection,
} from './connection.ts';
export { type Follower, type FollowerSnapshot, unknownRoom } from './follower.ts';
export {
  type Replay,
  type ReplayOptions,
  type ReplaySnapshot,
  replaySpeeds,
  unknownReplay,
  workshopReplay,
} from './replay/replay.ts';
export type { Reply, WireError } from './reply.ts';
export type { RoomView } from './roomView.ts';
