import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { type AttachOptions, attachWorkshops, type ExecutedCommand } from 'workshop-rooms';
import {
  errorCodes,
  followerOf,
  type StateView,
  type WireEvent,
  workshopConnection,
} from 'workshop-rooms-client';

const options: AttachOptions = {
  log: 'redis://127.0.0.1',
  database: { databaseUrl: 'postgres://127.0.0.1/x' },
  presenceGraceMs: 5_000,
  corsOrigins: ['https://app.example'],
  authenticate: async ({ headers, auth }) =>
    headers.cookie === undefined && auth.token === undefined
      ? null
      : { userId: 1, displayName: 'Ada', avatarUrl: null, roles: ['analyst'] },
};
// @ts-expect-error there is no such option
export const misspelt: AttachOptions = { redisURL: 'redis://127.0.0.1' };

export async function serve() {
  const http = createServer();
  const workshops = await attachWorkshops(new Server(http), { http, ...options });
  const command: ExecutedCommand = { workshopId: 1, name: 'start', as: 'system' };
  const answer = await workshops.execute(command);
  return answer.ok ? answer.version : answer.error.retryAfterMs;
}

export function said(event: WireEvent<'chat-message'>): string | null {
  return event.message;
}
// @ts-expect-error a message is text, or gone
export const wrong = (event: WireEvent<'chat-message'>): number => event.message;

export async function join(state: StateView) {
  const { socket } = workshopConnection({ url: 'http://127.0.0.1' });
  const reply = await followerOf(socket, state.workshopId).join();
  return reply.ok ? reply.epoch : errorCodes.includes(reply.error.code);
}
