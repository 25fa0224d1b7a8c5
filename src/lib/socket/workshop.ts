/**
 * What a client may send over a socket. A command is parsed, handed to the engine and acknowledged; what the room sees of
 * it comes from the log (`broadcast.ts`). Nothing that a client sends may throw out of here.
 */
import { z } from 'zod';
import type { CommandPayload } from '../../domain/catalog.ts';
import { type CommandName, commandOf, isCommandName } from '../../domain/catalog.ts';
import { decide } from '../../domain/decide.ts';
import { CodedError, type ErrorCode, type WireError, wireError } from '../../protocol/errors.ts';
import { type ParsedCommand, parse, parseCommand } from '../../protocol/parse.ts';
import { attendeesPerPage, bareName, commandHeader, type Reply, wireName } from '../../protocol/wire.ts';
import type { SocketContext } from './context.ts';
import { watchExpiry } from './expiry.ts';
import { gateOf } from './gate.ts';
import type { Mode, Seat } from './seats.ts';
import type { WorkshopSocket } from './session.ts';

type Acknowledge = (reply: unknown) => void;
type Answer = Reply | { ok: true; [field: string]: unknown } | { ok: false; error: WireError };

/** Registers everything that a client of the namespace may send. */
export function registerWorkshopHandlers(socket: WorkshopSocket, context: SocketContext): void {
  const { metrics, logger } = context;
  const expiry = watchExpiry(socket);
  const gate = gateOf(socket, context);

  socket.onAny((sent: unknown, ...values: unknown[]) => {
    // Not taken, so not answered either: the client sends it again, on a node that stays.
    if (socket.data.retiring) return;
    // The protocol lets a number be an event's name; what throws in here ends the process.
    const event = String(sent);
    const last = values.at(-1);
    const acknowledge = typeof last === 'function' ? (last as Acknowledge) : undefined;
    const raw = acknowledge !== undefined && values.length === 1 ? undefined : values[0];
    const name = bareName(event) ?? event;
    const answer = (reply: Answer) => {
      if (!reply.ok) gate.refused(name);
      if (acknowledge !== undefined) acknowledge(reply);
      else if (!reply.ok) socket.emit(wireName('error'), { command: name, ...reply.error });
    };
    socket.data.underWay++;
    gate
      .pass(name, raw)
      .then((error) => (error === undefined ? receive(name, raw, answer) : answer({ ok: false, error })))
      .catch((error: unknown) => {
        if (error instanceof CodedError) return answer(failure(error.code, error.message));
        metrics.faults.inc({ place: 'socket' });
        logger.error({ err: error, command: name }, 'a command failed unexpectedly');
        answer(failure('internal'));
      })
      .finally(() => socket.data.underWay--);
  });

  socket.on('disconnect', () => {
    expiry.close();
    for (const workshopId of new Set([...socket.data.rooms, ...socket.data.moving.keys()]))
      dropped(workshopId);
  });

  /** Without an awaited step before the engine has the command: those of one socket keep their order. */
  async function receive(name: string, raw: unknown, answer: (reply: Answer) => void): Promise<void> {
    if (expiry.isOver()) return answer(failure('token_expired'));
    if (name === 'authenticate') return answer(await authenticate(raw));
    if (name === 'attendees') return answer(await attendees(raw));
    // The server's own: it changes by REST alone.
    if (name === 'state-change') return answer(failure('forbidden'));
    if (!isCommandName(name) || commandOf(name).via !== 'socket') return answer(failure('unknown_command'));
    const parsed = parseCommand(name, raw);
    if (!parsed.ok) return answer(await invalid(raw, parsed.detail));
    const { workshopId } = parsed.value;
    const { moving } = socket.data;
    const before = moving.get(workshopId);
    if (name !== 'join' && name !== 'leave' && before === undefined)
      return answer(await command(name, parsed.value));
    // Joining and leaving take several steps; what the client sends after them waits until they are done.
    const turn = (before ?? Promise.resolve()).then(async () => {
      if (name === 'join') await joinInTurn(parsed.value, answer);
      else if (name === 'leave') await leave(parsed.value, answer);
      else answer(await command(name, parsed.value));
    });
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (moving.get(workshopId) === settled) moving.delete(workshopId);
        // The socket dropped meanwhile, and its leaving could not know of this join.
        if (!socket.connected) dropped(workshopId);
      });
    moving.set(workshopId, settled);
    return turn;
  }

  async function command(
    name: CommandName,
    { workshopId, commandId, payload }: ParsedCommand,
  ): Promise<Answer> {
    const outcome = await context.engine.handle({
      workshopId,
      name,
      payload,
      actor: socket.data.user,
      commandId,
    });
    if (!outcome.ok) return outcome;
    return { ok: true, version: outcome.version, changed: outcome.changed };
  }

  /** `invalid_payload`, unless its command id belongs to a command that was done. */
  async function invalid(raw: unknown, detail: string): Promise<Answer> {
    metrics.refusals.inc({ code: 'invalid_payload' });
    const header = commandHeader.safeParse(raw);
    const { workshopId, commandId } = header.data ?? {};
    if (workshopId !== undefined && commandId !== undefined) {
      const known = await context.engine.recall(workshopId, socket.data.user.userId, commandId);
      if (known !== undefined && !known.ok) return known;
    }
    return failure('invalid_payload', detail);
  }

  async function joinInTurn(command: ParsedCommand, answer: (reply: Answer) => void): Promise<void> {
    const turn = await context.admission.enter();
    if (!turn.ok) {
      metrics.refusals.inc({ code: 'rate_limited' });
      metrics.rateLimited.inc({ kind: 'join', layer: 'node' });
      const { retryAfterMs } = turn;
      return answer({ ok: false, error: { ...wireError('rate_limited', crowded), retryAfterMs } });
    }
    try {
      // Whoever dropped while waiting is not let in, only to be awaited.
      if (socket.connected) await join(command, answer);
    } finally {
      turn.done();
    }
  }

  async function join(
    { workshopId, payload }: ParsedCommand,
    answer: (reply: Answer) => void,
  ): Promise<void> {
    const { halls, absences, engine } = context;
    const { user } = socket.data;
    const { after, batch, roster } = payload as CommandPayload['join'];
    // Before it is decided: whose grace runs out meanwhile must not be recorded as gone.
    absences.end(workshopId, user.userId);
    const outcome = await engine.handle({ workshopId, name: 'join', payload, actor: user });
    if (!outcome.ok) {
      if (halls.get(workshopId)?.has(user.userId) !== true)
        await notLetIn(workshopId, outcome.error.retryable);
      return answer(outcome);
    }
    const hall = halls.open(workshopId);
    await hall.ready;
    const { version, changed, epoch } = outcome;
    // Events were lost, or may have been, and this room has not heard of it yet: what it could resume with may be gone.
    if (hall.epoch() !== epoch) await hall.compare();
    const resumed = after !== undefined && hall.canResume(after, version);
    if (after !== undefined) metrics.resumes.inc({ result: resumed ? 'resumed' : 'state' });
    answer({ ok: true, version, changed, epoch, resumed, userId: user.userId });
    if (!socket.connected) {
      if (!hall.has(user.userId)) absences.begin(workshopId, user.userId);
      return;
    }
    const mode: Mode = !batch ? 'single' : roster ? 'batch' : 'lean';
    const seat: Seat = { socket, userId: user.userId, mode, leaving: false };
    // Known before it is seated: leaving and dropping may come first.
    socket.data.rooms.add(workshopId);
    await hall.enter(seat, version, resumed ? after : undefined);
  }

  /** The hold is written before the join is decided: who was not let in must not count as being here. */
  async function notLetIn(workshopId: number, perhapsDone: boolean): Promise<void> {
    const { absences, halls } = context;
    const { userId } = socket.data.user;
    // Where the answer of the log is missing the join may be in it: then the user is here, and leaves after the grace.
    if (perhapsDone) absences.begin(workshopId, userId);
    else await halls.release(workshopId, userId);
  }

  async function leave(
    { workshopId, payload }: ParsedCommand,
    answer: (reply: Answer) => void,
  ): Promise<void> {
    const { halls, engine } = context;
    const { user, rooms } = socket.data;
    const hall = halls.get(workshopId);
    if (hall === undefined || !rooms.has(workshopId)) return answer(await notInRoom(workshopId));
    const own = hall.seats.get(socket.id);
    if (own !== undefined) own.leaving = true;
    if (hall.hasOther(user.userId, socket.id)) {
      hall.leave(socket.id);
      rooms.delete(workshopId);
      return answer({ ok: true, version: hall.version(), changed: false });
    }
    const outcome = await engine.handle({ workshopId, name: 'leave', payload, actor: user });
    if (!outcome.ok && outcome.error.retryable) {
      if (own !== undefined) own.leaving = false;
      return answer(outcome);
    }
    hall.leave(socket.id);
    rooms.delete(workshopId);
    if (!outcome.ok) return answer(outcome);
    answer({ ok: true, version: outcome.version, changed: outcome.changed });
  }

  /** The refusal of someone who is not in the room with this socket: `not_joined`, or what comes before it. */
  async function notInRoom(workshopId: number): Promise<Answer> {
    const found = await context.engine.room(workshopId);
    if (found === undefined) return failure('not_found');
    const decision = decide(found.room, { name: 'leave', payload: {}, actor: socket.data.user });
    return failure(decision.kind === 'refused' ? decision.code : 'not_joined');
  }

  async function attendees(raw: unknown): Promise<Answer> {
    const parsed = parse(attendeesRequest, raw);
    if (!parsed.ok) return failure('invalid_payload', parsed.detail);
    const { workshopId, cursor } = parsed.value;
    await socket.data.moving.get(workshopId);
    const hall = context.halls.get(workshopId);
    if (hall === undefined || !socket.data.rooms.has(workshopId)) return notInRoom(workshopId);
    return { ok: true, ...hall.page(cursor, attendeesPerPage) };
  }

  async function authenticate(raw: unknown): Promise<Answer> {
    const parsed = parse(z.object({ token: z.string() }), raw);
    if (!parsed.ok) return failure('invalid_payload', parsed.detail);
    const identity = await context.tokens.verify(parsed.value.token);
    if (identity.user.userId !== socket.data.user.userId) return failure('forbidden');
    socket.data.user = identity.user;
    socket.data.expiresAt = identity.expiresAt;
    expiry.renew();
    return { ok: true, expiresAt: new Date(identity.expiresAt).toISOString() };
  }

  function dropped(workshopId: number): void {
    const { halls, absences } = context;
    const hall = halls.get(workshopId);
    if (hall === undefined) return;
    socket.data.rooms.delete(workshopId);
    if (hall.leave(socket.id)) absences.begin(workshopId, socket.data.user.userId);
  }

  function failure(code: ErrorCode, detail?: string): { ok: false; error: WireError } {
    return { ok: false, error: wireError(code, detail) };
  }
}

const crowded = 'many are coming in at once: wait a moment';

const attendeesRequest = commandHeader.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'is not a cursor of this list')
    .transform(Number)
    .default(0),
});
