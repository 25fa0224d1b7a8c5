/** How simulated people sign in: by tokens signed with the server's secret, or as guests where it lets guests in. */
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { signToken } from '../identity/token.ts';
import type { WireError } from '../protocol/errors.ts';
import type { Patience } from './patience.ts';
import type { Rest } from './rest.ts';

export interface Ticket {
  userId: number;
  token: string;
}

export interface Tickets {
  /** Throws `NoTicket`. */
  of(person: { number: number; displayName: string }): Promise<Ticket>;
}

/** The server lets nobody in this way. */
export class NoTicket extends Error {
  readonly refusal: WireError;
  constructor(refusal: WireError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export interface Signing {
  secret: string;
  issuer?: string | undefined;
  audience?: string | undefined;
  seed: number;
}

/** Far above the ids that an application gives out, and below those of guests: a block of them for every seed. */
const firstId = 1e15;
const blockSize = 1e5;
/** Whoever wants to look at the workshop as its host has that long. */
const hours = 12;

/** The same people for the same seed. */
export function signedTickets({ seed, ...signing }: Signing): Tickets {
  return {
    async of({ number, displayName }) {
      const userId = firstId + seed * blockSize + number;
      const expiresAt = Date.now() + hours * 3_600_000;
      return { userId, token: await signToken(signing, { userId, displayName, expiresAt }) };
    },
  };
}

const signedIn = z.object({ token: z.string(), user: z.object({ userId: z.int() }) });

export function guestTickets(rest: Rest, patience: Patience): Tickets {
  return {
    async of({ displayName }) {
      const request = { method: 'POST', path: '/api/guest', body: { displayName } } as const;
      const answer = await patience.ask(() => rest.ask(request));
      if (!answer.ok) throw new NoTicket(answer.error);
      const { token, user } = signedIn.parse(answer.body);
      return { token, userId: user.userId };
    },
  };
}

/** Whose token it says it is; undefined where it is none. Whether it holds is the server's to say. */
export function ticketOf(token: string): Ticket | undefined {
  try {
    const userId = Number(decodeJwt(token).sub);
    return Number.isSafeInteger(userId) && userId > 0 ? { userId, token } : undefined;
  } catch {
    return undefined;
  }
}
