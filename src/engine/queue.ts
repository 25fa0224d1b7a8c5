/**
 * The commands of one workshop, one append at a time. What comes while an append is under way goes into the next one
 * together, as long as no command depends on what another one in the group changes.
 *
 *   pending ──► decided ──► appended ──► settled
 *      ▲           │            │
 *      │        refused ─► checked against the log ──► settled
 *      └── conflict, or newer events ───┴─────┘
 */
import { actorId, type Command, decide } from '../domain/decide.ts';
import { evolveAll } from '../domain/evolve.ts';
import { inTime } from '../log/inTime.ts';
import type { Appended, Check, EventLog } from '../log/log.ts';
import { type Cell, fail, type Pending, take } from './cell.ts';
import { type Draft, fingerprint, recorded } from './draft.ts';
import { type Group, maxGroup, nextGroup } from './group.ts';
import { type EngineObserver, reused } from './outcome.ts';
import type { RoomCache } from './rooms.ts';

export interface QueueParts {
  log: EventLog;
  node: string;
  rooms: RoomCache;
  observer: EngineObserver;
}

const calmConflicts = 3;
const theLog = 'the log';

/** Works until nothing is pending. Never rejects: what fails is told to the commands that it failed for. */
export async function workshopQueue(parts: QueueParts, cell: Cell): Promise<void> {
  const { rooms, observer } = parts;
  let conflicts = 0;
  // A turn of the loop passes first, so that what arrived together is decided together.
  await Promise.resolve();
  while (cell.pending.length > 0) {
    dropLate(parts, cell, conflicts);
    if (cell.pending.length === 0) return;
    try {
      const left = Math.min(...cell.pending.map(({ deadline }) => deadline)) - parts.log.now();
      await inTime(rooms.load(cell, isNew(cell)), left, theLog);
      await inTime(holdPresence(parts, cell), left, theLog);
      const group = nextGroup(cell);
      if (group.members.length === 0) {
        await inTime(checkRefused(parts, cell), left, theLog);
        continue;
      }
      if (cell.kept) {
        await inTime(rooms.putBack(cell), left, theLog);
        continue;
      }
      const conflicted = await appendGroup(parts, cell, group);
      conflicts = conflicted ? conflicts + 1 : 0;
      if (conflicted) observer.conflicted?.();
      if (conflicts > calmConflicts) await pause(5 + Math.random() * 25);
    } catch (error) {
      observer.failed?.(error);
      // Redis fails at once while it is away: leave it a moment, and the commands their time.
      await pause(25 + Math.random() * 50);
    }
  }
}

/** What is about to be scheduled was given an id that nothing has, and must not wait for the database. */
function isNew({ pending }: Cell): boolean {
  return pending[0]?.command.name === 'schedule-workshop';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function dropLate({ log }: QueueParts, cell: Cell, conflicts: number): void {
  const now = log.now();
  const late = cell.pending.filter((pending) => pending.deadline < now);
  if (late.length === 0) return;
  take(cell, new Set(late));
  for (const pending of late) fail(pending, conflicts > 0 ? 'conflict' : 'unavailable');
}

/** Writes the holds of joins, up to the first command that ends a presence: the order between the two must stay. */
async function holdPresence({ log, node }: QueueParts, cell: Cell): Promise<void> {
  const joins: Pending[] = [];
  for (const pending of cell.pending) {
    if (pending.command.name === 'leave' || pending.command.name === 'drop-user') break;
    if (!pending.held) joins.push(pending);
    if (joins.length === maxGroup) break;
  }
  if (joins.length === 0) return;
  await log.presence.hold(cell.id, [...new Set(joins.map(({ command }) => presentUser(command)))], node);
  for (const pending of joins) {
    pending.held = true;
    // What the room knew before the hold was written may have ended since.
    pending.received = performance.now();
  }
}

function presentUser({ actor, payload }: Command): number {
  if (actor.kind === 'user') return actor.userId;
  return (payload as { userId: number }).userId;
}

/** Brings the room up to date and looks the ids up, for the commands at the front that would be refused. */
async function checkRefused({ log, rooms }: QueueParts, cell: Cell): Promise<void> {
  const asOf = performance.now();
  const run: Pending[] = [];
  for (const pending of cell.pending) {
    if (run.length === maxGroup || !pending.held) break;
    if (decide(cell.room, pending.command).kind === 'append') break;
    run.push(pending);
  }
  const { version } = cell.room;
  // What carries no id asks nothing of its own, such as a thousand joins after a node died: it shares one check.
  let shared: Promise<Check> | undefined;
  const checks = await Promise.all(
    run.map(({ command, commandId }) => {
      if (commandId === undefined) {
        shared ??= log.check(cell.id, version, 'system', null);
        return shared;
      }
      const by = command.actor.kind === 'system' ? 'system' : actorId(command.actor);
      return log.check(cell.id, version, by, commandId);
    }),
  );
  const settled = new Set<Pending>();
  for (const [index, check] of checks.entries()) {
    const pending = run[index];
    if (pending === undefined) continue;
    pending.idChecked = true;
    if (check.done !== null) {
      settled.add(pending);
      settleDone(cell, pending, check.done);
    }
  }
  take(cell, settled);
  const newest = checks.reduce(
    (best, check) => (check.version >= best.version ? check : best),
    checks[0] ?? noCheck,
  );
  if (newest !== noCheck) {
    await rooms.catchUp(cell, version, newest, newest.missing);
    cell.freshAsOf = Math.max(cell.freshAsOf, asOf);
  }
}

const noCheck = { version: 0, epoch: '', done: null, missing: [] };

function settleDone(cell: Cell, pending: Pending, done: { version: number; fingerprint: string }): void {
  const same = done.fingerprint === '' || done.fingerprint === fingerprint(pending.command);
  if (same) pending.settle({ ok: true, version: done.version, changed: true, epoch: cell.epoch });
  else fail(pending, 'conflict', reused, false);
}

/** True where the append conflicted. */
async function appendGroup(
  { log, node, rooms, observer }: QueueParts,
  cell: Cell,
  group: Group,
): Promise<boolean> {
  const drafts = group.members.map((member) => member.draft);
  const asOf = performance.now();
  const request = {
    workshopId: cell.id,
    base: group.base,
    ...(cell.epoch !== '' && { epoch: cell.epoch }),
    deadline: Math.min(...group.members.map(({ pending }) => pending.deadline)),
    commands: drafts,
    wakes: group.wakes,
    node,
  };
  const members = group.members.map(({ pending }) => pending);
  let result: Appended;
  try {
    result = await repeated(() => log.append(request), request.deadline - log.now());
  } catch (error) {
    // Done or not: nobody knows, and only the same id can tell. Deciding again might do it twice.
    take(cell, new Set(members));
    for (const pending of members) fail(pending, 'unavailable');
    throw error;
  }
  switch (result.kind) {
    case 'appended': {
      take(cell, new Set(members));
      let version = result.from - 1;
      for (const { pending, draft } of group.members) {
        version += draft.events.length;
        pending.settle({ ok: true, version, changed: true, epoch: result.epoch });
      }
      await applyAppended(rooms, cell, drafts, result);
      cell.freshAsOf = Math.max(cell.freshAsOf, asOf);
      observer.appended?.(result.to - result.from + 1, performance.now() - asOf);
      return false;
    }
    case 'conflict':
      await rooms.catchUp(cell, group.base, result, result.missing);
      return true;
    case 'done': {
      const known = result.commands.flatMap((done) => {
        const member = group.members[done.index];
        return member === undefined ? [] : [{ pending: member.pending, done }];
      });
      take(cell, new Set(known.map(({ pending }) => pending)));
      for (const { pending, done } of known) settleDone(cell, pending, done);
      if (result.missing.length > 0) evolveAll(cell.room, result.missing);
      return false;
    }
    case 'held': {
      const held = result.commands.flatMap((index) => group.members[index]?.pending ?? []);
      take(cell, new Set(held));
      for (const pending of held)
        pending.settle({ ok: true, version: cell.room.version, changed: false, epoch: cell.epoch });
      return false;
    }
    case 'epoch':
      await rooms.catchUp(cell, group.base, result, []);
      return true;
    case 'late':
      // The next round drops what is late and goes on with the others.
      await pause(1);
      return false;
  }
}

/** The node may apply what it appended itself at once: the answer says where the events stand. */
async function applyAppended(
  rooms: RoomCache,
  cell: Cell,
  drafts: readonly Draft[],
  { from, at, epoch, missing }: Extract<Appended, { kind: 'appended' }>,
): Promise<void> {
  const { room } = cell;
  try {
    await rooms.catchUp(cell, from - 1, { version: from - 1, epoch }, missing);
    if (cell.room === room) evolveAll(room, recorded(drafts, from, at));
  } catch (error) {
    // The append stands; a room that could not follow it is read again.
    cell.loaded = false;
    throw error;
  }
}

/**
 * An append whose answer did not come may have been done or not: the same call again, with the same command ids, finds out.
 */
async function repeated(call: () => Promise<Appended>, withinMs: number): Promise<Appended> {
  const until = performance.now() + withinMs;
  for (let wait = 20; ; wait *= 2) {
    try {
      return await inTime(call(), until - performance.now(), theLog);
    } catch (error) {
      if (performance.now() + wait > until) throw error;
      await pause(wait);
    }
  }
}
