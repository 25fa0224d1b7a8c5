/** Appends for tests of the log: every field has a value that does not matter unless a test says otherwise. */
import { randomUUID } from 'node:crypto';
import type { Mark } from '../../src/domain/define.ts';
import type { Append, Appended, Draft, DraftCommand, EventLog, TailBatch } from '../../src/log/log.ts';
import { until } from '../kit/until.ts';

export const node = 'node-a';

export function draft(marks: readonly Mark[] = [], data: unknown = { text: 'hello' }): Draft {
  return { eventId: randomUUID(), type: 'chat-message', schema: 1, data: JSON.stringify(data), marks };
}

/** A command of one event, unless `events` says otherwise. */
export function command(change: Partial<DraftCommand> = {}): DraftCommand {
  const commandId = randomUUID();
  return { by: 7, commandId, fingerprint: 'print', remember: false, reads: [], events: [draft()], ...change };
}

/** Reads and bears the marks of a message by that user: goes with others' chat, not with the user's removal. */
export const chat = (userId: number, change: Partial<DraftCommand> = {}) =>
  command({ by: userId, reads: ['room', `user:${userId}`], events: [draft([])], ...change });

export const removal = (userId: number, change: Partial<DraftCommand> = {}) =>
  command({
    by: 1,
    reads: ['room', `user:${userId}`],
    events: [draft([`user:${userId}`, 'seats'])],
    ...change,
  });

export interface Drafted extends Partial<Omit<Append, 'commands'>> {
  workshopId: number;
}

export function send(log: EventLog, change: Drafted, ...commands: DraftCommand[]): Promise<Appended> {
  return log.events.append({ base: 0, deadline: log.now() + 10_000, node, commands, ...change });
}

type Kind = Appended['kind'];

/** The answer, where it is of that kind; else an error that shows what it was. */
export function as<K extends Kind>(kind: K, answer: Appended): Extract<Appended, { kind: K }> {
  if (answer.kind !== kind) throw new Error(`not ${kind} but ${JSON.stringify(answer)}`);
  // The kind was just compared; the compiler does not narrow a union by a type parameter.
  return answer as Extract<Appended, { kind: K }>;
}

/** Appends as `send` does and expects it to be taken. */
export async function sent(log: EventLog, change: Drafted, ...commands: DraftCommand[]) {
  return as('appended', await send(log, change, ...commands));
}

/** `count` events of one command, on top of what is there. */
export async function fill(log: EventLog, workshopId: number, count: number) {
  const base = (await log.events.head(workshopId))?.version ?? 0;
  return sent(log, { workshopId, base }, command({ events: Array.from({ length: count }, () => draft()) }));
}

export const versions = (events: readonly { version: number }[]) => events.map(({ version }) => version);

/** What a tail of one partition handed out. */
export interface Followed {
  batches: TailBatch[];
  /** `workshop:version` of every event, in the order in which they came. */
  events(): string[];
  cursor(): number;
  /** Resolves once so many events have come. */
  came(count: number): Promise<string[]>;
  close(): Promise<void>;
}

export async function follow(
  log: EventLog,
  partition: number,
  from: number | 'end',
  limit?: number,
): Promise<Followed> {
  const batches: TailBatch[] = [];
  const errors: unknown[] = [];
  const tail = log.feed.tail({
    from: new Map([[partition, from]]),
    onBatch: (batch) => void batches.push(batch),
    onError: (error) => void errors.push(error),
    ...(limit === undefined ? {} : { limit }),
  });
  await tail.ready;
  const events = () =>
    batches.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.events().map(({ version }) => `${entry.workshopId}:${version}`)),
    );
  const size = () =>
    batches.flatMap(({ entries }) => entries).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return {
    batches,
    events,
    cursor: () => batches.at(-1)?.cursor ?? (from === 'end' ? 0 : from),
    async came(count) {
      await until(() => size() >= count, {
        what: `${count} events to come through the tail`,
        timeout: 15_000,
      });
      return events();
    },
    async close() {
      await tail.close();
      if (errors.length > 0) throw new AggregateError(errors, 'the tail reported errors');
    },
  };
}
