/**
 * A simulated workshop inside a server that is being tried out: people who are made up come to it over real sockets, so that
 * whoever is alone sees a room with life in it. One at a time.
 */
import { randomInt } from 'node:crypto';
import { play } from './simulate/play.ts';
import { restClient } from './simulate/rest.ts';
import { planWorkshop } from './simulate/script.ts';
import { signedTickets, type Ticket } from './simulate/tickets.ts';

export interface LivelySettings {
  /** Where this server listens. */
  url: string;
  secret: string;
  issuer?: string | undefined;
  audience?: string | undefined;
  graceMs: number;
  onFailure(error: unknown): void;
}

export interface Lively {
  /** Resolves with the workshop's id as soon as it is scheduled; with the same one while it is under way. */
  start(): Promise<number>;
  close(): Promise<void>;
}

const attendees = 24;
const minutes = 15;
/** Slow enough to be read, fast enough that the lobby opens within seconds. */
const speed = 3;
const seeds = 1_000_000;

export function lively(settings: LivelySettings): Lively {
  const closing = new AbortController();
  let underWay: { scheduled: Promise<number>; over: Promise<void> } | undefined;

  function begin() {
    const { url, secret, issuer, audience, graceMs, onFailure } = settings;
    const seed = randomInt(1, seeds);
    const script = planWorkshop({ attendees, minutes, seed, graceMs: graceMs * speed, title: undefined });
    const tickets = signedTickets({ secret, issuer, audience, seed });
    let over: Promise<void> = Promise.resolve();
    const scheduled = new Promise<number>((resolve, reject) => {
      const playing = async () => {
        const people = new Map<number, Ticket>();
        for (const person of script.people) people.set(person.number, await tickets.of(person));
        const observer = { scheduled: resolve };
        await play({
          script,
          rest: restClient(url),
          tickets: people,
          speed,
          signal: closing.signal,
          observer,
        });
      };
      over = playing()
        .catch((error: unknown) => {
          reject(error);
          onFailure(error);
        })
        .finally(() => {
          underWay = undefined;
        });
    });
    return { scheduled, over };
  }

  return {
    start() {
      underWay ??= begin();
      return underWay.scheduled;
    },
    async close() {
      closing.abort();
      await underWay?.over;
    },
  };
}
