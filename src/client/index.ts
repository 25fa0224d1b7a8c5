/** The package `workshop-rooms-client`: the client without a framework, what travels, and the error codes. */

export { type ErrorCode, errorCodes } from '../protocol/errors.ts';
export type {
  Attendee,
  AttendeesPage,
  ChatView,
  DrainNotice,
  EventBatch,
  LooseEvent,
  StateView,
  WireEvent,
  WirePlace,
} from '../protocol/wire.ts';
export type { ConnectionOptions } from './connection.ts';
export type { FollowerOptions } from './follower.ts';
export * from './workshopClient.ts';
