/** Engines on one real Redis, as several nodes have them; and people who command them. */
import { randomUUID } from 'node:crypto';
import type { CommandInput, CommandName } from '../../src/domain/catalog.ts';
import { commandOf } from '../../src/domain/catalog.ts';
import type { Actor } from '../../src/domain/define.ts';
import { fold, type RecordedEvent } from '../../src/domain/evolve.ts';
import { type Engine, type EngineObserver, type Outcome, workshopEngine } from '../../src/engine/engine.ts';
import { type EventLog, readAll } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';

export interface Node {
  name: string;
  log: EventLog;
  engine: Engine;
  /** Every fault that the engine told of. */
  faults: unknown[];
  close(): Promise<void>;
}

export async function startNode(url: string, name: string, observer: EngineObserver = {}): Promise<Node> {
  const faults: unknown[] = [];
  const log = await redisLog({ address: { url }, onError: (error) => faults.push(error) });
  const engine = workshopEngine({
    log,
    node: name,
    observer: { ...observer, failed: (error) => faults.push(error) },
  });
  return {
    name,
    log,
    engine,
    faults,
    async close() {
      await engine.close();
      await log.close();
    },
  };
}

export function user(userId: number): Extract<Actor, { kind: 'user' }> {
  return { kind: 'user', userId, displayName: `User ${userId}`, avatarUrl: null, roles: [] };
}

export const host = user(1);
export const system: Actor = { kind: 'system' };

/** Sends a command as the edge does: parsed by its own schema. */
export function send<N extends CommandName>(
  node: Pick<Node, 'engine'>,
  workshopId: number,
  actor: Actor,
  name: N,
  payload: CommandInput[N],
  commandId?: string,
): Promise<Outcome> {
  const parsed = commandOf(name).payload.parse(payload);
  return node.engine.handle({ workshopId, name, payload: parsed, actor, commandId });
}

/** A public workshop of the host's, live, with these members joined. */
export async function liveWorkshop(
  node: Pick<Node, 'log' | 'engine'>,
  members: readonly number[] = [],
  more: Partial<CommandInput['schedule-workshop']> = {},
): Promise<number> {
  const { workshopId } = await node.log.ids.allocate();
  const scheduledAt = new Date().toISOString();
  await ok(send(node, workshopId, host, 'schedule-workshop', { title: 'Bread', scheduledAt, ...more }));
  await ok(send(node, workshopId, host, 'start', {}));
  for (const id of members) {
    await ok(send(node, workshopId, user(id), 'rsvp', {}));
    await ok(send(node, workshopId, user(id), 'join', {}));
  }
  return workshopId;
}

export async function ok(outcome: Promise<Outcome>): Promise<Extract<Outcome, { ok: true }>> {
  const settled = await outcome;
  if (!settled.ok) throw new Error(`refused: ${settled.error.code}`);
  return settled;
}

export async function codeOf(outcome: Promise<Outcome>): Promise<string> {
  const settled = await outcome;
  return settled.ok ? (settled.changed ? 'changed' : 'unchanged') : settled.error.code;
}

export async function history(log: EventLog, workshopId: number): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of readAll(log.events, workshopId)) events.push(...page);
  return events;
}

/** The room as the log alone tells it. */
export async function replayed(log: EventLog, workshopId: number) {
  return fold(workshopId, await history(log, workshopId));
}

export const newId = () => randomUUID();
