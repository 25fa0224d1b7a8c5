/**
 * The commands of one workshop, one append at a time. What comes while an append is under way goes into the next one
 * together, as long as no command depends on what another one in the group changes.
 *
 *   waiting ──► held, if it lets someone in ──► decided ──► appended ──► settled
 *      ▲                                           │            │
 *      │                                    would be refused ─► checked against the log ──► settled
 *      └──────── conflict, or newer events ────────┴────────────┘
 */
import { decide } from '../domain/decide.ts';
import { evolveAll, type RecordedEvent } from '../domain/evolve.ts';
import type { Append, Appended, Check, Done, EventLog } from '../log/log.ts';
import { holdNewcomers } from '../presence/holds.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import { inTime } from '../timing/inTime.ts';
import { pause, retrying } from '../timing/retry.ts';
import type { Freshness } from './freshness.ts';
import { author, type Group, maxGroup, nextGroup } from './group.ts';
import { fail, type Pending, settleDone } from './pending.ts';
import { isSameCommand } from './repeated.ts';
import type { CachedRoom } from './rooms.ts';

export interface CommandQueue {
  /** What is decided on. */
  readonly cached: CachedRoom;
  /** In the order of coming; whoever settles one takes it out. */
  waiting: Pending[];
  /** Appends in a row that conflicted. */
  conflicts: number;
  /** Ends when nothing waits any more. */
  working: Promise<void>;
}

export interface QueueParts {
  log: EventLog;
  node: string;
  rooms: Freshness;
  observer: EngineObserver;
}

/** What the engine tells of its work; metrics listen to it. */
export interface EngineObserver {
  appended?(events: number, ms: number): void;
  conflicted?(): void;
  refused?(name: string, code: ErrorCode): void;
  failed?(error: unknown): void;
  /** A room could not be kept for the next one who reads it. */
  notKept?(error: unknown): void;
}

/** From the next conflict on it pauses a little. */
const calmConflicts = 3;
const theLog = 'the log';

/** Works until nothing waits. Never rejects: what fails is told to the commands that it failed for. */
export async function workThrough(parts: QueueParts, queue: CommandQueue): Promise<void> {
  queue.conflicts = 0;
  // A turn of the loop passes first, so that what arrived together is decided together.
  await Promise.resolve();
  while (queue.waiting.length > 0) {
    dropLate(parts, queue);
    if (queue.waiting.length === 0) return;
    try {
      await takeStep(parts, queue);
    } catch (error) {
      parts.observer.failed?.(error);
      // Redis fails at once while it is away: leave it a moment, and the commands their time.
      await pause(25 + Math.random() * 50);
    }
  }
}

/** Whatever those at the front need next. */
async function takeStep(parts: QueueParts, queue: CommandQueue): Promise<void> {
  const { log, node, rooms } = parts;
  const { cached } = queue;
  const leftMs = Math.min(...queue.waiting.map(({ deadline }) => deadline)) - log.now();
  if (!cached.loaded) await inTime(rooms.load(cached, isNew(queue)), leftMs, theLog);
  if (queue.waiting.some(({ held }) => !held)) {
    const holding = { presence: log.presence, node, workshopId: cached.id, most: maxGroup };
    await inTime(holdNewcomers(holding, queue.waiting), leftMs, theLog);
  }
  const group = nextGroup(cached, queue.waiting);
  takeOut(queue, group.settled);
  if (group.members.length === 0) return inTime(checkRefused(parts, queue), leftMs, theLog);
  if (cached.kept) return inTime(rooms.putBack(cached), leftMs, theLog);
  return append(parts, queue, group);
}

/** What is about to be scheduled was given an id that nothing has, and must not wait for the database. */
function isNew({ waiting }: CommandQueue): boolean {
  return waiting[0]?.command.name === 'schedule-workshop';
}

function takeOut(queue: CommandQueue, settled: ReadonlySet<Pending>): void {
  if (settled.size > 0) queue.waiting = queue.waiting.filter((pending) => !settled.has(pending));
}

function dropLate({ log }: QueueParts, queue: CommandQueue): void {
  const now = log.now();
  const late = queue.waiting.filter(({ deadline }) => deadline < now);
  if (late.length === 0) return;
  takeOut(queue, new Set(late));
  for (const pending of late) fail(pending, queue.conflicts > 0 ? 'conflict' : 'unavailable');
}

/** Brings the room up to date and looks the ids up, for the commands at the front that would be refused. */
async function checkRefused(parts: QueueParts, queue: CommandQueue): Promise<void> {
  const { log, rooms } = parts;
  const { cached } = queue;
  const asOf = performance.now();
  const { version } = cached.room;
  const refused = refusedAtFront(queue);
  // What carries no id asks nothing of its own, such as a thousand joins after a node died: it shares one check.
  let shared: Promise<Check> | undefined;
  const checks = await Promise.all(
    refused.map(({ command, commandId }) => {
      if (commandId !== undefined) return log.commands.check(cached.id, version, author(command), commandId);
      shared ??= log.commands.check(cached.id, version, 'system', null);
      return shared;
    }),
  );
  let newest: Check | undefined;
  const repeated: [Pending, Done][] = [];
  for (const [index, check] of checks.entries()) {
    if (newest === undefined || check.version >= newest.version) newest = check;
    const pending = refused[index];
    if (pending === undefined) continue;
    pending.idChecked = true;
    if (check.done !== null) repeated.push([pending, check.done]);
  }
  await settleRepeated(parts, queue, repeated);
  if (newest === undefined) return;
  await rooms.catchUp(cached, version, newest, newest.missing);
  cached.freshAsOf = Math.max(cached.freshAsOf, asOf);
}

function refusedAtFront({ cached, waiting }: CommandQueue): Pending[] {
  const run: Pending[] = [];
  for (const pending of waiting) {
    if (run.length === maxGroup || !pending.held) break;
    if (decide(cached.room, pending.command).kind === 'append') break;
    run.push(pending);
  }
  return run;
}

async function append(parts: QueueParts, queue: CommandQueue, group: Group): Promise<void> {
  const { rooms, observer } = parts;
  const { cached } = queue;
  const asOf = performance.now();
  const answer = await answered(parts, queue, group);
  if (answer.kind !== 'conflict' && answer.kind !== 'epoch') queue.conflicts = 0;
  switch (answer.kind) {
    case 'appended':
      await rooms.apply(cached, answer, settleAppended(queue, group, answer));
      cached.freshAsOf = Math.max(cached.freshAsOf, asOf);
      observer.appended?.(answer.to - answer.from + 1, performance.now() - asOf);
      return;
    case 'done':
      return settleGroup(parts, queue, group, answer);
    case 'held':
      return settleHeld(queue, group, answer);
    case 'late':
      // The next step drops what is late and goes on with the others. The clock may have been wrong, and is measured anew meanwhile.
      return pause(10 + Math.random() * 20);
    case 'conflict':
    case 'epoch':
      await rooms.catchUp(cached, group.base, answer, answer.kind === 'conflict' ? answer.missing : []);
      queue.conflicts++;
      observer.conflicted?.();
      if (queue.conflicts > calmConflicts) await pause(5 + Math.random() * 25);
  }
}

/**
 * What the log says to the group. An append whose answer did not come may have been done or not: the same call again, with the
 * same command ids, finds out.
 */
async function answered({ log, node }: QueueParts, queue: CommandQueue, group: Group): Promise<Appended> {
  const { id, epoch } = queue.cached;
  const pending = group.members.map((member) => member.pending);
  const deadline = Math.min(...pending.map((each) => each.deadline));
  const request: Append = {
    workshopId: id,
    base: group.base,
    ...(epoch !== '' && { epoch }),
    deadline,
    commands: group.members.map(({ draft }) => draft),
    wakes: group.wakes,
    node,
  };
  const withinMs = deadline - log.now();
  const until = performance.now() + withinMs;
  try {
    return await retrying(() => inTime(log.events.append(request), until - performance.now(), theLog), {
      withinMs,
      pauses: { first: 20, most: 1_000 },
    });
  } catch (error) {
    // Done or not: nobody knows, and only the same id can tell. Deciding again might do it twice.
    takeOut(queue, new Set(pending));
    for (const each of pending) fail(each, 'unavailable');
    throw error;
  }
}

type Answer<K extends Appended['kind']> = Extract<Appended, { kind: K }>;

/** Answers with the events as a reader of the log gets them. */
function settleAppended(
  queue: CommandQueue,
  { members }: Group,
  { from, at, epoch }: Answer<'appended'>,
): RecordedEvent[] {
  takeOut(queue, new Set(members.map(({ pending }) => pending)));
  const recorded: RecordedEvent[] = [];
  let version = from - 1;
  for (const { pending, draft } of members) {
    const { by, commandId, decided } = draft;
    for (const [index, { eventId, type, schema }] of draft.events.entries()) {
      version++;
      recorded.push({ version, eventId, type, schema, at, by, commandId, data: decided[index]?.data });
    }
    pending.settle({ ok: true, version, changed: true, epoch });
  }
  return recorded;
}

/** Some were done before; the others are decided again. */
async function settleGroup(
  parts: QueueParts,
  queue: CommandQueue,
  { members }: Group,
  { commands, missing }: Answer<'done'>,
): Promise<void> {
  const repeated = commands.flatMap((done): [Pending, Done][] => {
    const pending = members[done.index]?.pending;
    return pending === undefined ? [] : [[pending, done]];
  });
  await settleRepeated(parts, queue, repeated);
  if (missing.length > 0) evolveAll(queue.cached.room, missing);
}

async function settleRepeated(
  { log }: QueueParts,
  queue: CommandQueue,
  repeated: readonly [Pending, Done][],
): Promise<void> {
  const { id, epoch } = queue.cached;
  for (const [pending, done] of repeated) {
    // An id of the engine's own is that of one command.
    const isSame =
      pending.commandId === undefined || (await isSameCommand(log.events, id, pending.command, done));
    takeOut(queue, new Set([pending]));
    settleDone(pending, done, { isSame, epoch });
  }
}

/** Somebody else still holds whose presence these would have ended. */
function settleHeld(queue: CommandQueue, { members }: Group, { commands }: Answer<'held'>): void {
  const { room, epoch } = queue.cached;
  const held = commands.flatMap((index) => members[index]?.pending ?? []);
  takeOut(queue, new Set(held));
  for (const pending of held) pending.settle({ ok: true, version: room.version, changed: false, epoch });
}
