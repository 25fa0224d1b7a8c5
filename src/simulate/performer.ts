/** Where a script is played: a workshop on a server, and a player for each of its people. Does one act when told to. */
import { v4 as uuid } from 'uuid';
import { z } from 'zod';
import type { Reply } from '../client/workshopClient.ts';
import type { LooseEvent } from '../protocol/wire.ts';
import { type Act, payloadOf } from './acts.ts';
import type { Patience } from './patience.ts';
import { type Player, player } from './player.ts';
import type { Request, Rest } from './rest.ts';
import type { Ticket } from './tickets.ts';

export interface PerformerParts {
  rest: Rest;
  /** By the numbers of the script. */
  tickets: ReadonlyMap<number, Ticket>;
  patience: Patience;
  /** Title, scheduledAt, durationMinutes: what the workshop is scheduled with, once its time has come. */
  schedule(): Record<string, unknown>;
  heard(number: number, device: number, event: LooseEvent): void;
}

export interface Performer {
  /** 0 before it is scheduled. */
  readonly workshopId: number;
  /** Never rejects for what the server answers. */
  perform(act: Act): Promise<Reply>;
  /** Whether the host should be connected and is not. */
  readonly hostIsCutOff: boolean;
  /** Whether everyone who was in the room knows that it is over. */
  readonly isEmpty: boolean;
  /** Ends the workshop, or cancels it where it had not begun. Does nothing where there is none. */
  breakOff(): Promise<void>;
  /** Closes every socket. */
  close(): Promise<void>;
}

export const host = 1;
const scheduled = z.object({ id: z.int(), version: z.int() });
const answered = z.object({ version: z.int(), changed: z.boolean() });

export function performer({ rest, tickets, patience, schedule, heard }: PerformerParts): Performer {
  const players = new Map<number, Player>();
  const messages = new Map<number, number>();
  let workshopId = 0;

  const ids = {
    userIdOf: (number: number) => ticketOf(number).userId,
    // What was refused has no id: what is asked of it is refused too.
    messageIdOf: (line: number) => messages.get(line) ?? Number.MAX_SAFE_INTEGER,
  };

  function ticketOf(number: number): Ticket {
    const ticket = tickets.get(number);
    if (ticket === undefined) throw new Error(`person ${number} has no ticket`);
    return ticket;
  }

  function playerOf(number: number): Player {
    const known = players.get(number);
    if (known !== undefined) return known;
    const made = player({
      ...{ url: rest.url, ticket: ticketOf(number), workshopId, patience },
      heard: (device, event) => heard(number, device, event),
    });
    players.set(number, made);
    return made;
  }

  function request(act: Pick<Act, 'by'>, method: Request['method'], path: string, body?: unknown) {
    const { token } = ticketOf(act.by);
    // Under one key however often it is asked: it is done once.
    const wish = { method, path: `/api/workshops${path}`, token, body, key: uuid() };
    return patience.ask(() => rest.ask(wish));
  }

  async function perform(act: Act): Promise<Reply> {
    const payload = payloadOf(act, ids);
    switch (act.name) {
      case 'schedule-workshop': {
        const answer = await request(act, 'POST', '', schedule());
        if (!answer.ok) return answer;
        const { id, version } = scheduled.parse(answer.body);
        workshopId = id;
        return { ok: true, version, changed: true };
      }
      case 'rsvp':
        return overRest(act, 'POST', 'rsvp');
      case 'withdraw-rsvp':
        return overRest(act, 'DELETE', 'rsvp');
      case 'invite-users':
        return overRest(act, 'POST', 'invitations', payload);
      case 'open-lobby':
      case 'start':
      case 'end':
        return overRest(act, 'POST', act.name);
      case 'join':
        return playerOf(act.by).join(act.device);
      case 'leave':
        return playerOf(act.by).leave(act.device);
      case 'cut':
        return playerOf(act.by).cut(act.device);
      case 'return':
        return playerOf(act.by).comeBack(act.device);
      case 'chat': {
        const reply = await playerOf(act.by).send(act.name, payload);
        // A message's id is the version of its event.
        if (reply.ok) messages.set(act.line, reply.version);
        return reply;
      }
      default:
        return playerOf(act.by).send(act.name, payload);
    }
  }

  async function overRest(
    act: Act,
    method: Request['method'],
    route: string,
    body?: unknown,
  ): Promise<Reply> {
    const answer = await request(act, method, `/${workshopId}/${route}`, body);
    return answer.ok ? { ok: true, ...answered.parse(answer.body) } : answer;
  }

  return {
    get workshopId() {
      return workshopId;
    },
    perform,
    get hostIsCutOff() {
      return players.get(host)?.isCutOff ?? false;
    },
    get isEmpty() {
      return [...players.values()].every(({ isInside }) => !isInside);
    },
    async breakOff() {
      if (workshopId === 0) return;
      const ended = await request({ by: host }, 'POST', `/${workshopId}/end`);
      if (!ended.ok && ended.error.code === 'invalid_state')
        await request({ by: host }, 'POST', `/${workshopId}/cancel`);
    },
    async close() {
      await Promise.all([...players.values()].map((each) => each.close()));
    },
  };
}
