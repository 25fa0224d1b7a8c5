/** Every hook of the package `workshop-rooms-client/react`. */
export * from './useWorkshopChat.ts';
export {
  type AttendeeInfo,
  useWorkshopSocket,
  type WorkshopCommands,
  type WorkshopSocket,
  type WorkshopSocketOptions,
  type WorkshopState,
} from './useWorkshopSocket.ts';
