/** A workshop's history for who folds all of it: for host, co-hosts and analysts, in turn with their other readings. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Pages } from '../history/following.ts';
import { refused } from './errors.ts';
import { callerOf } from './identity.ts';
import type { RestContext } from './parts.ts';
import { whileWaited } from './streams.ts';

/** Events to a page: between two of them others have their turn. */
const pageSize = 500;

export interface WholeHistory {
  /** Up to the version of now, as long as the answer is waited for. */
  pages: Pages;
  /** The present room. Rejects once the right to look is lost. */
  present: () => ReturnType<RestContext['rooms']['ofHistory']>;
}

/** Resolves once it is their turn; rejects as the routes refuse. */
export async function wholeHistory(
  { rooms, readings, history }: RestContext,
  request: FastifyRequest,
  { reply, workshopId }: { reply: FastifyReply; workshopId: number },
): Promise<WholeHistory> {
  const user = callerOf(request);
  const present = () => rooms.ofHistory(workshopId, user);
  await present();
  await readings.take(user.userId, reply.raw);
  const opened = await history.open(workshopId);
  if (opened === undefined) throw refused('not_found');
  return { pages: whileWaited(opened.pages(0, pageSize), reply.raw), present };
}
