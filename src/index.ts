/** The package `workshop-rooms`: workshops in a server that is there. The command line is `bin/workshop.js`. */

export type { RequestHandler } from './api/handler.ts';
export { type AttachedWorkshops, attachWorkshops } from './attach.ts';
export type { AttachOptions, DatabaseOptions, LogOptions } from './attachOptions.ts';
export { ConfigError } from './config.ts';
export type { Execute, Executed, ExecutedCommand } from './execute.ts';
export type { Authenticate, SignedIn } from './identity/callers.ts';
export { registerWorkshopHandlers } from './lib/socket/workshop.ts';
export { type ErrorCode, errorCodes, type WireError } from './protocol/errors.ts';
