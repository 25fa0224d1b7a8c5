/**
 * The limits on what connections send. Everything is counted as a message before it is parsed; then what a socket sends passes
 * here, one after another: whatever has to be asked first, its commands keep their order.
 */
import type { Server } from 'socket.io';
import type { Limits, Verdict } from '../../limits/limiter.ts';
import { kindOf } from '../../limits/table.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { type WireError, wireError } from '../../protocol/errors.ts';
import {
  type Connection,
  dismiss,
  terminate,
  type WorkshopNamespace,
  type WorkshopSocket,
} from './socket.ts';

export interface Gate {
  /**
   * Undefined where a message of that bare name may go on, otherwise its refusal. At once where nothing is to be asked; promises
   * settle in the order of asking.
   */
  pass(name: string, raw: unknown): WireError | undefined | Promise<WireError | undefined>;
  /** What is hardly held up was refused: someone who may not moderate could go on with it for ever. */
  refused(name: string): void;
}

export function gateOf(
  socket: WorkshopSocket,
  { limits, metrics }: { limits: Limits; metrics: Metrics },
): Gate {
  const { address } = socket.data;
  /** The last that was asked, while any is. */
  let last: Promise<unknown> | undefined;

  function ask(name: string, raw: unknown): WireError | undefined | Promise<WireError | undefined> {
    const kind = kindOf(name);
    if (kind === undefined) return undefined;
    const user = socket.data.user.userId;
    const verdict = limits.take(kind, { user, address, workshop: workshopOf(raw) });
    return verdict instanceof Promise ? verdict.then(answered) : answered(verdict);
  }

  function answered(verdict: Verdict): WireError | undefined {
    if (verdict.ok) return undefined;
    metrics.refusals.inc({ code: 'rate_limited' });
    void strike();
    return { ...wireError('rate_limited'), retryAfterMs: verdict.retryAfterMs };
  }

  async function strike(): Promise<void> {
    const verdict = await limits.take('refusal', { socket: socket.id });
    if (!verdict.ok && socket.connected)
      dismiss(socket, { ...wireError('rate_limited'), retryAfterMs: verdict.retryAfterMs });
  }

  return {
    pass(name, raw) {
      const passed = last === undefined ? ask(name, raw) : last.then(() => ask(name, raw));
      if (!(passed instanceof Promise)) return passed;
      const asked = passed.finally(() => {
        if (last === asked) last = undefined;
      });
      last = asked;
      return asked;
    },
    refused(name) {
      const kind = kindOf(name);
      if (kind === undefined || kind === 'moderate') void strike();
    },
  };
}

/** Nothing is parsed yet: what is no id counts for no workshop. */
function workshopOf(raw: unknown): number | undefined {
  if (typeof raw !== 'object' || raw === null || !('workshopId' in raw)) return undefined;
  const { workshopId } = raw;
  return Number.isSafeInteger(workshopId) ? (workshopId as number) : undefined;
}

/** Counts what connections send, whatever it is, and ends those that send without measure. */
export function countMessages(io: Server, nsp: WorkshopNamespace, limits: Limits): void {
  let connections = 0;

  async function count(connection: Connection, account: string): Promise<void> {
    const asked = limits.take('message', { socket: account });
    const verdict = asked instanceof Promise ? await asked : asked;
    if (verdict.ok || connection.readyState !== 'open') return;
    const socket = [...nsp.sockets.values()].find(({ conn }) => conn === connection);
    if (socket === undefined) terminate(connection);
    else dismiss(socket, { ...wireError('rate_limited'), retryAfterMs: verdict.retryAfterMs });
  }

  io.engine.on('connection', (connection: Connection) => {
    const account = String(++connections);
    // The first of all listeners: Socket.IO's own is the parser.
    connection.prependListener('data', () => void count(connection, account));
  });
}

/** The same for a socket whose connection others share: only what is for our namespace is counted, and only our socket ends. */
export function countMessagesOf(socket: WorkshopSocket, limits: Limits): void {
  const { conn, nsp } = socket;

  async function count(data: unknown): Promise<void> {
    if (!isFor(nsp.name, data)) return;
    const verdict = await limits.take('message', { socket: socket.id });
    if (!verdict.ok && socket.connected)
      dismiss(socket, { ...wireError('rate_limited'), retryAfterMs: verdict.retryAfterMs });
  }

  const counting = (data: unknown) => void count(data);
  conn.prependListener('data', counting);
  socket.once('disconnect', () => void conn.off('data', counting));
}

/** Socket.IO 5: the packet's type, how much binary follows it, and its namespace. Another parser's packets are anyone's. */
function isFor(namespace: string, data: unknown): boolean {
  if (typeof data !== 'string') return true;
  return data.slice(/^\d(?:\d*-)?/.exec(data)?.[0].length ?? 0).startsWith(`${namespace},`);
}
