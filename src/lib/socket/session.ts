/**
 * What a socket may do in workshops, and in which order. In each of them it is
 *
 *               join                  acknowledged, and the tail has come there           leave
 *   outside ──────────► joining ──────────────────────────────────────────────► inside ─────────► leaving
 *    ▲  ▲  ▲                │ refused                                             │  ▲               │  │ the log is away
 *    │  │  └────────────────┘                                                     │  └───────────────┼──┘
 *    │  └─── dropped, removed, or the workshop is over: at any time, unasked ─────┘                  │
 *    └───────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Joining and leaving take several steps: what the client sends after them waits for their end. Everything else goes straight to
 * the engine, whose rules say what somebody outside may do. A socket is inside, or about to be, where the room has it as a
 * subscriber (`subscribers.ts`).
 */
import type { CommandName, CommandPayload } from '../../domain/catalog.ts';
import { decide } from '../../domain/decide.ts';
import { commandTimeoutMs, type Engine, type Outcome } from '../../engine/engine.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Tracing } from '../../observe/tracing.ts';
import type { Arrival, NodePresence } from '../../presence/presence.ts';
import { wireError } from '../../protocol/errors.ts';
import type { ParsedCommand } from '../../protocol/parse.ts';
import { attendeesPerPage } from '../../protocol/wire.ts';
import { inTime } from '../../timing/inTime.ts';
import type { Admission } from './admission.ts';
import type { RoomBroadcasts } from './broadcast.ts';
import type { Reading } from './followedRoom.ts';
import type { RoomBroadcast } from './roomBroadcast.ts';
import { type Answer, failure, type WorkshopSocket } from './socket.ts';
import type { Mode } from './subscribers.ts';

export interface SessionParts {
  engine: Engine;
  presence: NodePresence;
  broadcasts: RoomBroadcasts;
  admission: Admission;
  metrics: Metrics;
  /** Undefined where nobody could record. */
  tracing: Tracing | undefined;
}

/** A socket, and what its commands are done with. */
export interface Session extends SessionParts {
  socket: WorkshopSocket;
}

export type Answering = (answer: Answer) => void;

/** Without an awaited step before the engine has the command: those of one socket keep their order. */
export async function command(
  session: Session,
  name: CommandName,
  parsed: ParsedCommand,
  answer: Answering,
): Promise<void> {
  const { workshopId } = parsed;
  if (name === 'join') return inTurn(session, workshopId, () => joinAdmitted(session, parsed, answer));
  if (name === 'leave') return inTurn(session, workshopId, () => leave(session, parsed, answer));
  if (!session.socket.data.moving.has(workshopId)) return answer(await handled(session, name, parsed));
  return inTurn(session, workshopId, async () => answer(await handled(session, name, parsed)));
}

/** The socket is gone: so it is in every room that it was in or was about to enter. */
export function disconnected(session: Session): void {
  const { rooms, moving } = session.socket.data;
  for (const workshopId of new Set([...rooms, ...moving.keys()])) drop(session, workshopId);
}

/** A page of those who are in the room, for a socket that is. */
export async function attendees(session: Session, workshopId: number, cursor: number): Promise<Answer> {
  const { socket, broadcasts } = session;
  await socket.data.moving.get(workshopId);
  const room = broadcasts.get(workshopId);
  if (room?.subscriber(socket.id) === undefined) return notInside(session, workshopId);
  return { ok: true, ...room.page(cursor, attendeesPerPage) };
}

/** After what is under way in the workshop, and before what is sent later. */
function inTurn(session: Session, workshopId: number, work: () => Promise<void>): Promise<void> {
  const { socket } = session;
  const { moving } = socket.data;
  const turn = (moving.get(workshopId) ?? Promise.resolve()).then(work);
  const over = () => {
    if (moving.get(workshopId) === settled) moving.delete(workshopId);
    // The socket dropped meanwhile, and its leaving could not know of this join.
    if (!socket.connected) drop(session, workshopId);
  };
  // A failure is told to whoever sent the command, not to what comes after it.
  const settled = turn.then(over, over);
  moving.set(workshopId, settled);
  return turn;
}

async function handled(
  { engine, socket }: Session,
  name: CommandName,
  { workshopId, commandId, payload }: ParsedCommand,
): Promise<Answer> {
  const outcome = await engine.handle({ workshopId, name, payload, actor: socket.data.user, commandId });
  if (!outcome.ok) return outcome;
  return { ok: true, version: outcome.version, changed: outcome.changed };
}

async function joinAdmitted(session: Session, parsed: ParsedCommand, answer: Answering): Promise<void> {
  const { admission, metrics, socket } = session;
  const turn = await admission.enter();
  if (!turn.ok) {
    metrics.refusals.inc({ code: 'rate_limited' });
    metrics.rateLimited.inc({ kind: 'join', layer: 'node' });
    const { retryAfterMs } = turn;
    return answer({ ok: false, error: { ...wireError('rate_limited', crowded), retryAfterMs } });
  }
  try {
    // Whoever dropped while waiting is not let in, only to be awaited.
    if (socket.connected) await join(session, parsed, { answer, acknowledged: turn.done });
  } finally {
    turn.done();
  }
}

const crowded = 'many are coming in at once: wait a moment';

interface JoinAnswering {
  answer: Answering;
  /** It was answered: another one may begin, whenever this one gets what is in the room. */
  acknowledged(): void;
}

async function join(session: Session, parsed: ParsedCommand, answering: JoinAnswering): Promise<void> {
  const { engine, presence, socket } = session;
  const { workshopId, payload } = parsed;
  const { user } = socket.data;
  const arrival = presence.joining(workshopId, user.userId);
  try {
    const outcome = await engine.handle({ workshopId, name: 'join', payload, actor: user });
    if (outcome.ok) return await enter(session, arrival, parsed, outcome, answering);
    await arrival.notLetIn(outcome.error.retryable);
    answering.answer(outcome);
  } finally {
    // Where it came to nothing.
    arrival.dropped();
  }
}

/** The join is in the log. */
async function enter(
  { broadcasts, metrics, socket }: Session,
  arrival: Arrival,
  { workshopId, payload }: ParsedCommand,
  { version, changed, epoch }: Outcome & { ok: true },
  { answer, acknowledged }: JoinAnswering,
): Promise<void> {
  const room = broadcasts.open(workshopId);
  const letGo = room.hold();
  try {
    await untilRead(room, epoch);
    const { userId } = socket.data.user;
    const { after, batch, roster } = payload as CommandPayload['join'];
    const resumed = after !== undefined && room.canResume(after, version);
    if (after !== undefined) metrics.resumes.inc({ result: resumed ? 'resumed' : 'state' });
    answer({ ok: true, version, changed, epoch, resumed, userId });
    acknowledged();
    if (!socket.connected) return arrival.dropped();
    const mode: Mode = !batch ? 'single' : roster ? 'batch' : 'lean';
    const subscribed = room.enter({
      socket,
      userId,
      mode,
      version,
      after: resumed ? after.version : undefined,
    });
    arrival.inside();
    await subscribed;
  } finally {
    letGo();
  }
}

/** Throws `unavailable` where the log can't be read for longer than a command may take: the client then tries again. */
async function untilRead(room: RoomBroadcast, epoch: string): Promise<void> {
  const read = ({ done, failed }: Reading) =>
    Promise.race([done, failed.then(() => inTime(done, commandTimeoutMs, 'reading the room'))]);
  await read(room.ready());
  // Events were lost, or may have been, and this room has not heard of it yet: what it could resume with may be gone.
  if (room.epoch() !== epoch) await read(room.compare());
}

async function leave(
  session: Session,
  { workshopId, payload }: ParsedCommand,
  answer: Answering,
): Promise<void> {
  const { engine, broadcasts, socket } = session;
  const { user } = socket.data;
  const room = broadcasts.get(workshopId);
  const subscriber = room?.subscriber(socket.id);
  if (room === undefined || subscriber === undefined) return answer(await notInside(session, workshopId));
  if (room.hasOther(user.userId, socket.id)) {
    room.leave(socket.id);
    return answer({ ok: true, version: room.version(), changed: false });
  }
  subscriber.stage = { is: 'leaving' };
  const outcome = await engine.handle({ workshopId, name: 'leave', payload, actor: user });
  if (!outcome.ok && outcome.error.retryable) {
    subscriber.stage = { is: 'subscribed' };
    return answer(outcome);
  }
  room.leave(socket.id);
  if (!outcome.ok) return answer(outcome);
  answer({ ok: true, version: outcome.version, changed: outcome.changed });
}

/** The refusal of someone who is not in the room with this socket: `not_joined`, or what comes before it. */
async function notInside({ engine, socket }: Session, workshopId: number): Promise<Answer> {
  const found = await engine.room(workshopId);
  if (found === undefined) return failure('not_found');
  const decision = decide(found.room, { name: 'leave', payload: {}, actor: socket.data.user });
  return failure(decision.kind === 'refused' ? decision.code : 'not_joined');
}

function drop({ broadcasts, presence, socket }: Session, workshopId: number): void {
  if (broadcasts.get(workshopId)?.leave(socket.id)) presence.dropped(workshopId, socket.data.user.userId);
}
