/**
 * What a client may send over a socket. A command is parsed, handed to the engine and acknowledged (`session.ts`); what the room
 * sees of it comes from the log (`broadcast.ts`). Nothing that a client sends may throw out of here.
 */
import { z } from 'zod';
import { type CommandName, commandOf, isCommandName } from '../../domain/catalog.ts';
import type { CommandSpan } from '../../observe/tracing.ts';
import { CodedError } from '../../protocol/errors.ts';
import { parse, parseCommand } from '../../protocol/parse.ts';
import { bareName, commandHeader, wireName } from '../../protocol/wire.ts';
import { attachmentOf, type SocketContext } from './attachment.ts';
import { authenticate, type Expiry, watchExpiry } from './authentication.ts';
import { type Gate, gateOf } from './gate.ts';
import { type Answering, attendees, command, disconnected, type Session } from './session.ts';
import { type Answer, failure, type WorkshopNamespace, type WorkshopSocket } from './socket.ts';

interface Receiver extends SocketContext, Session {
  expiry: Expiry;
  gate: Gate;
}

/** Something that a client sent. */
interface Message {
  /** Without the prefix of the wire. */
  name: string;
  raw: unknown;
  answer: Answering;
  span: CommandSpan | undefined;
}

const registered = new WeakSet<WorkshopSocket>();

/**
 * Registers everything that a client may send, for one connection of a namespace that is served (`attachWorkshops`). What serves it
 * does so itself; once is enough, whoever comes first.
 */
export function registerWorkshopHandlers(nsp: WorkshopNamespace, socket: WorkshopSocket): void {
  const attachment = attachmentOf(nsp);
  if (attachment === undefined)
    throw new Error(
      `registerWorkshopHandlers: ${nsp.name} is not attached: call attachWorkshops(io, …) first`,
    );
  if (registered.has(socket)) return;
  registered.add(socket);
  const { context } = attachment;
  const receiver: Receiver = {
    ...context,
    socket,
    expiry: watchExpiry(socket),
    gate: gateOf(socket, context),
  };
  socket.onAny((event: unknown, ...values: unknown[]) => {
    // Not taken, so not answered either: the client sends it again, on a node that stays.
    if (!socket.data.retiring) void take(receiver, messageOf(receiver, event, values));
  });
  socket.on('disconnect', () => {
    receiver.expiry.close();
    disconnected(receiver);
  });
}

function messageOf(receiver: Receiver, event: unknown, values: readonly unknown[]): Message {
  const { socket, gate } = receiver;
  // The protocol lets a number be an event's name; what throws in here ends the process.
  const sent = String(event);
  const name = bareName(sent) ?? sent;
  const last = values.at(-1);
  const acknowledge = typeof last === 'function' ? (last as (reply: unknown) => void) : undefined;
  const raw = acknowledge !== undefined && values.length === 1 ? undefined : values[0];
  const span = beginSpan(receiver, name, raw);
  return {
    ...{ name, raw, span },
    answer(reply) {
      span?.answered(reply);
      if (!reply.ok) gate.refused(name);
      if (acknowledge !== undefined) acknowledge(reply);
      else if (!reply.ok) socket.emit(wireName('error'), { command: name, ...reply.error });
    },
  };
}

function beginSpan({ tracing, broadcasts, socket }: Receiver, name: string, raw: unknown) {
  // What anyone may send under any name makes no spans.
  if (tracing === undefined || !isFromSockets(name)) return undefined;
  const isShown = (workshopId: number) => broadcasts.get(workshopId) !== undefined;
  return tracing.begin({ name, raw, userId: socket.data.user.userId, isShown });
}

function isFromSockets(name: string): name is CommandName {
  return isCommandName(name) && commandOf(name).via === 'socket';
}

async function take(receiver: Receiver, message: Message): Promise<void> {
  const { socket, gate } = receiver;
  socket.data.underWay++;
  try {
    const passed = gate.pass(message.name, message.raw);
    // Without a wait where none is needed: it would cost every command.
    const error = passed instanceof Promise ? await passed : passed;
    if (error === undefined) await receive(receiver, message);
    else message.answer({ ok: false, error });
  } catch (error) {
    message.answer(failed(receiver, message, error));
  } finally {
    message.span?.over();
    socket.data.underWay--;
  }
}

function failed({ metrics, logger }: Receiver, { name }: Message, error: unknown): Answer {
  if (error instanceof CodedError) return failure(error.code, error.message);
  metrics.faults.inc({ place: 'socket' });
  logger.error({ err: error, command: name }, 'a command failed unexpectedly');
  return failure('internal');
}

async function receive(receiver: Receiver, { name, raw, answer }: Message): Promise<void> {
  if (receiver.expiry.isOver()) return answer(failure('token_expired'));
  if (name === 'authenticate') return answer(await authenticate(receiver, raw));
  if (name === 'attendees') return answer(await attendeesAsked(receiver, raw));
  // The server's own: it changes by REST alone.
  if (name === 'state-change') return answer(failure('forbidden'));
  if (!isFromSockets(name)) return answer(failure('unknown_command'));
  const parsed = parseCommand(name, raw);
  if (!parsed.ok) return answer(await invalid(receiver, name, raw, parsed.detail));
  return command(receiver, name, parsed.value, answer);
}

/** `invalid_payload`, unless its command id belongs to a command that was done. */
async function invalid(
  { metrics, engine, socket }: Receiver,
  name: CommandName,
  raw: unknown,
  detail: string,
): Promise<Answer> {
  metrics.refusals.inc({ code: 'invalid_payload' });
  const { workshopId, commandId } = commandHeader.safeParse(raw).data ?? {};
  // Joining and leaving repeat by themselves: their ids say nothing.
  if (workshopId !== undefined && commandId !== undefined && commandOf(name).repeatable !== true) {
    const found = await engine.recall(workshopId, socket.data.user.userId, commandId);
    if (found !== undefined && !found.ok) return found;
  }
  return failure('invalid_payload', detail);
}

async function attendeesAsked(receiver: Receiver, raw: unknown): Promise<Answer> {
  const parsed = parse(attendeesRequest, raw);
  if (!parsed.ok) return failure('invalid_payload', parsed.detail);
  return attendees(receiver, parsed.value.workshopId, parsed.value.cursor);
}

const attendeesRequest = commandHeader.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'is not a cursor of this list')
    .transform(Number)
    .default(0),
});
