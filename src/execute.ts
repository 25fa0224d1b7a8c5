/** Commands from the code of an application that has us built in: what a socket or REST would send, answered as a socket is. */
import { z } from 'zod';
import { type CommandName, commandOf, isCommandName } from './domain/catalog.ts';
import type { Actor } from './domain/define.ts';
import type { Engine } from './engine/engine.ts';
import { fingerprint } from './engine/pending.ts';
import { type SignedIn, signedInUser } from './identity/callers.ts';
import type { EventLog } from './log/log.ts';
import { type ErrorCode, type WireError, wireError } from './protocol/errors.ts';
import { parse, parseCommand } from './protocol/parse.ts';

export interface ExecutedCommand {
  /** Left out where the workshop is scheduled by it. */
  workshopId?: number;
  /** The bare name, such as `raise-hand` or `start`. */
  name: string;
  /** Beside the command's own fields a `commandId`, so that it may be executed again without being done again. */
  payload?: Record<string, unknown>;
  /** A user, who may do what the same user may do by a socket, or the system, which may do anything to a workshop. */
  as: SignedIn | 'system';
}

/** What a socket is answered; with the id of the workshop, which `schedule-workshop` makes. */
export type Executed =
  | { ok: true; version: number; changed: boolean; workshopId: number }
  | { ok: false; error: WireError };

/** Never rejects. */
export type Execute = (command: ExecutedCommand) => Promise<Executed>;

/** Presence is a connection's: who has none would be recorded as gone a moment later. */
const bySocketsAlone: readonly CommandName[] = ['join', 'leave'];
/** They say something of who asks, and the system is nobody. */
const byUsersAlone: readonly CommandName[] = ['schedule-workshop', 'rsvp', 'withdraw-rsvp'];

export function execution({ engine, log }: { engine: Engine; log: EventLog }): Execute {
  async function freshId(actor: Actor, commandId: string | undefined, payload: unknown): Promise<number> {
    if (actor.kind === 'system' || commandId === undefined) return (await log.ids.allocate()).workshopId;
    const asked = fingerprint({ name: 'schedule-workshop', payload });
    const key = { userId: actor.userId, key: commandId, fingerprint: asked };
    return (await log.ids.allocate(key)).workshopId;
  }

  return async ({ workshopId, name, payload = {}, as }) => {
    if (!isCommandName(name) || commandOf(name).via === 'system') return refusal('unknown_command');
    if (bySocketsAlone.includes(name))
      return refusal('forbidden', `${name} belongs to a connection: only a socket does it`);
    const actor = actorOf(as);
    if (!actor.ok) return refusal('invalid_payload', actor.detail);
    if (actor.value.kind === 'system' && byUsersAlone.includes(name))
      return refusal('forbidden', `${name} is done as a user`);
    const makesOne = name === 'schedule-workshop' && workshopId === undefined;
    // Any id will do for looking at the rest.
    const parsed = parseCommand(name, { ...payload, workshopId: makesOne ? 1 : workshopId });
    if (!parsed.ok) return refusal('invalid_payload', parsed.detail);
    const { commandId } = parsed.value;
    const request = { name, payload: parsed.value.payload, actor: actor.value, commandId };
    try {
      const id = makesOne ? await freshId(actor.value, commandId, request.payload) : parsed.value.workshopId;
      const outcome = await engine.handle({ ...request, workshopId: id });
      if (!outcome.ok) return outcome;
      return { ok: true, version: outcome.version, changed: outcome.changed, workshopId: id };
    } catch {
      // Only the log's giving an id out rejects, while it is away.
      return refusal('unavailable');
    }
  };
}

function actorOf(as: unknown): { ok: true; value: Actor } | { ok: false; detail: string } {
  if (as === 'system') return { ok: true, value: { kind: 'system' } };
  const parsed = parse(z.object({ as: signedInUser }), { as });
  return parsed.ok ? { ok: true, value: parsed.value.as } : parsed;
}

function refusal(code: ErrorCode, detail?: string): Executed {
  return { ok: false, error: wireError(code, detail) };
}
