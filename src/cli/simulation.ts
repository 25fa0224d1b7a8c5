/** One simulation: everyone signs in, the script is planned and played, and what it came to is told. */
import type { Config } from '../config.ts';
import { patience } from '../simulate/patience.ts';
import { type Observer, type Played, play } from '../simulate/play.ts';
import { type Rest, restClient } from '../simulate/rest.ts';
import { planWorkshop, type Script } from '../simulate/script.ts';
import {
  guestTickets,
  NoTicket,
  signedTickets,
  type Ticket,
  type Tickets,
  ticketOf,
} from '../simulate/tickets.ts';
import { CommandFailed } from './command.ts';
import type { Target } from './target.ts';

export interface Wish {
  attendees: number;
  minutes: number;
  speed: number;
  seed: number;
  title: string | undefined;
  into: string | undefined;
  /** The host's. */
  token: string | undefined;
}

export interface Summary extends Played {
  title: string;
  seed: number;
  attendees: number;
  minutes: number;
  speed: number;
  server: Target['kind'];
  url: string;
  /** Where to look at it from now on: a server of its own is gone, and the next one is where the configuration says. */
  page: string;
  timeline: string;
  /** With the token that this made; it holds for some hours. */
  host: { userId: number; token?: string };
  /** Whether the tables hold all of it already. */
  tablesFollow: boolean;
}

export function scriptOf({ attendees, minutes, speed, seed, title }: Wish, { graceMs }: Target): Script {
  return planWorkshop({ attendees, minutes, seed, title, graceMs: graceMs * speed });
}

export interface Simulation {
  wish: Wish;
  config: Config;
  target: Target;
  script: Script;
  signal: AbortSignal;
  /** How many of the script's people have signed in. */
  signedIn(count: number): void;
  observer: Partial<Observer>;
  /** Who is who on the server, once everyone has signed in. */
  onSignedIn(tickets: ReadonlyMap<number, Ticket>): void;
}

export async function runScript(simulation: Simulation): Promise<Summary> {
  const { wish, config, target, script, signal, observer, onSignedIn } = simulation;
  const rest = restClient(target.url);
  const tickets = await signEveryoneIn(rest, simulation);
  onSignedIn(tickets);
  const played = await play({ script, rest, tickets, speed: wish.speed, signal, observer });
  if (played.workshopId === 0) throw new CommandFailed('stopped before anything began');
  const { userId, token } = ticketFor(tickets, 1);
  const tablesFollow = await followed(rest, { ...played, token });
  const later = target.kind === 'own' ? `http://localhost:${config.PORT}` : target.url;
  // Tokens of a secret that goes with this process open nothing afterwards.
  const lasts = wish.token === undefined && !(target.kind === 'own' && config.AUTH_JWKS_URL !== undefined);
  const { attendees, minutes, speed, seed } = wish;
  return {
    ...played,
    ...{ title: script.title, seed, attendees, minutes, speed, server: target.kind, url: target.url },
    page: `${later}/w/${played.workshopId}`,
    timeline: `${later}/api/workshops/${played.workshopId}/timeline`,
    host: { userId, ...(lasts && { token }) },
    tablesFollow,
  };
}

function ticketFor(tickets: ReadonlyMap<number, Ticket>, number: number): Ticket {
  const ticket = tickets.get(number);
  if (ticket === undefined) throw new Error(`person ${number} did not sign in`);
  return ticket;
}

/** Guests that sign in at once. */
const atOnce = 16;

async function signEveryoneIn(
  rest: Rest,
  { wish, config, target, script, signal, signedIn }: Simulation,
): Promise<Map<number, Ticket>> {
  const own = wish.token === undefined ? undefined : ticketOf(wish.token);
  if (own !== undefined) await admits(rest, own.token, 'refuses the token');
  const tickets = await wayIn(rest, { wish, config, target, signal });
  const found = new Map<number, Ticket>(own === undefined ? [] : [[1, own]]);
  const people = script.people.filter(({ number }) => !found.has(number));
  const queue = people.values();
  const signAll = async () => {
    for (const person of queue) {
      if (signal.aborted) return;
      found.set(person.number, await tickets.of(person));
      signedIn(found.size);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, signAll));
  } catch (error) {
    if (!(error instanceof NoTicket)) throw error;
    const { code, message } = error.refusal;
    if (code !== 'forbidden') throw new CommandFailed(`nobody can sign in at ${rest.url}: ${message}`);
    throw new CommandFailed(`${rest.url} signs in no guests: give its AUTH_SECRET`);
  }
  if (signal.aborted) throw new CommandFailed('stopped before anything began');
  return found;
}

async function wayIn(
  rest: Rest,
  { wish, config, target, signal }: Pick<Simulation, 'wish' | 'config' | 'target' | 'signal'>,
): Promise<Tickets> {
  const { secret } = target;
  const guests = guestTickets(rest, patience(signal));
  if (secret === undefined) {
    await admits(rest, undefined, '');
    return guests;
  }
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = config;
  const signed = signedTickets({ secret, issuer, audience, seed: wish.seed });
  const { token } = await signed.of({ number: 1, displayName: 'Host' });
  if (config.AUTH_SECRET !== undefined) {
    await admits(rest, token, 'refuses tokens signed with AUTH_SECRET');
    return signed;
  }
  // The folder may hold the secret of an earlier start, while the server was given another one.
  return (await isAdmitted(rest, token)) ? signed : guests;
}

/** Fails where the server cannot be reached, is none of ours, or does not know who calls. */
async function admits(rest: Rest, token: string | undefined, refusing: string): Promise<void> {
  const admitted = await isAdmitted(rest, token);
  if (!admitted && token !== undefined) throw new CommandFailed(`the server at ${rest.url} ${refusing}`);
}

async function isAdmitted(rest: Rest, token: string | undefined): Promise<boolean> {
  const answer = await rest.ask({ method: 'GET', path: '/api/workshops?limit=1', token });
  if (answer.ok) return true;
  if (!answer.reached)
    throw new CommandFailed(`the server at ${rest.url} cannot be reached: ${answer.error.message}`);
  const { code, message } = answer.error;
  if (code === 'internal') throw new CommandFailed(`${rest.url} is no server of workshops: ${message}`);
  return code !== 'unauthenticated' && code !== 'rate_limited';
}

/** A read waits two seconds for the tables. */
const looks = 5;

async function followed(rest: Rest, { workshopId, version, token }: Played & { token: string }) {
  const path = `/api/workshops/${workshopId}/attendees?limit=1&minVersion=${version}`;
  for (let look = 0; look < looks; look++)
    if ((await rest.ask({ method: 'GET', path, token })).ok) return true;
  return false;
}
