/** A script acted out on the domain alone, at its own times: no server, no sockets, a drop lasts as long as it says. */
import { type CommandName, commandOf } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Actor, Decision } from '../../src/domain/define.ts';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom, type Room } from '../../src/domain/room.ts';
import { type Act, payloadOf } from '../../src/simulate/acts.ts';
import type { Script } from '../../src/simulate/script.ts';
import { begin, recorded, workshopId } from '../domain/given.ts';

export interface Rehearsal {
  room: Room;
  events: RecordedEvent[];
  /** What each act came to; undefined where it was not to come to anything: a second device, a cut, a return in time. */
  outcomes: { act: Act; decision: Decision | undefined }[];
  /** How many were present after each event. */
  present: number[];
}

export function rehearse(script: Script): Rehearsal {
  const room = emptyRoom(workshopId);
  const events: RecordedEvent[] = [];
  const present: number[] = [];
  const messages = new Map<number, number>();
  const devices = new Map<number, Set<number>>();
  /** When those whose connections are all gone are taken for gone. */
  const awaited = new Map<number, number>();
  const names = new Map(script.people.map(({ number, displayName }) => [number, displayName]));

  function record(decision: Decision, atMs: number): void {
    if (decision.kind !== 'append') return;
    for (const event of decision.events) {
      const next = recorded(event, room.version + 1, begin + atMs);
      evolve(room, next);
      events.push(next);
      present.push(room.present.size);
    }
  }

  function ask(name: CommandName, payload: object, by: number | 'system', atMs: number): Decision {
    const user = { userId: Number(by), displayName: names.get(Number(by)) ?? '', avatarUrl: null };
    const actor: Actor = by === 'system' ? { kind: 'system' } : { kind: 'user', roles: [], ...user };
    const decision = decide(room, { name, payload: commandOf(name).payload.parse(payload), actor });
    record(decision, atMs);
    return decision;
  }

  function dropWhoIsGone(until: number): void {
    for (const [userId, at] of [...awaited].sort(([, one], [, other]) => one - other)) {
      if (at > until) return;
      awaited.delete(userId);
      ask('drop-user', { userId }, 'system', at);
    }
  }

  function perform(act: Act): Decision | undefined {
    const { by, atMs } = act;
    const here = devices.get(by) ?? new Set();
    devices.set(by, here);
    const payload = payloadOf(act, {
      userIdOf: (number) => number,
      messageIdOf: (line) => messages.get(line) ?? Number.NaN,
    });
    switch (act.name) {
      case 'cut':
        if (!here.delete(act.device)) throw new Error(`${by} is not there on ${act.device}`);
        if (here.size === 0) awaited.set(by, atMs + script.options.graceMs);
        return undefined;
      case 'leave':
        if (!here.delete(act.device)) throw new Error(`${by} is not there on ${act.device}`);
        return here.size === 0 ? ask('leave', payload, by, atMs) : undefined;
      case 'join':
      case 'return': {
        if (here.has(act.device)) throw new Error(`${by} is there on ${act.device} already`);
        const wasThere = here.size > 0 || awaited.delete(by);
        const decision = ask('join', { batch: true }, by, atMs);
        if (decision.kind !== 'refused') here.add(act.device);
        return wasThere ? undefined : decision;
      }
      case 'schedule-workshop': {
        const scheduledAt = new Date(begin).toISOString();
        return ask('schedule-workshop', { title: script.title, scheduledAt }, by, atMs);
      }
      case 'chat':
        messages.set(act.line, room.version + 1);
        break;
      case 'remove-user':
        devices.delete(act.target);
        awaited.delete(act.target);
        break;
    }
    return ask(act.name, payload, by, atMs);
  }

  const outcomes = script.acts.map((act) => {
    dropWhoIsGone(act.atMs);
    return { act, decision: perform(act) };
  });
  return { room, events, outcomes, present };
}
