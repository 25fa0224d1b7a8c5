/** Every hook of the package `workshop-rooms-client/react`. */
export { type ChatMessage, useWorkshopChat, type WorkshopChat } from './useWorkshopChat.ts';
export {
  replaySpeeds,
  useWorkshopReplay,
  type WorkshopReplay,
  type WorkshopReplayOptions,
} from './useWorkshopReplay.ts';
export {
  type AttendeeInfo,
  useWorkshopSocket,
  type WorkshopCommands,
  type WorkshopSocket,
  type WorkshopSocketOptions,
  type WorkshopState,
} from './useWorkshopSocket.ts';
