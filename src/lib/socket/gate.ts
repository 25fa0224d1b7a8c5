/**
 * What a socket sends passes here, one after another, before it is parsed: whatever has to be asked first, its commands keep
 * their order.
 */
import { countedAs } from '../../limits/address.ts';
import { kindOf } from '../../limits/table.ts';
import { type WireError, wireError } from '../../protocol/errors.ts';
import type { SocketContext } from './context.ts';
import { dismiss } from './dismiss.ts';
import type { WorkshopSocket } from './session.ts';

export interface Gate {
  /** Undefined where a message of that bare name may go on, otherwise its refusal. Settles in the order of asking. */
  pass(name: string, raw: unknown): Promise<WireError | undefined>;
  /** What no limit holds up was refused: someone who may not moderate could go on with it for ever. */
  refused(name: string): void;
}

export function gateOf(socket: WorkshopSocket, { limits, metrics }: SocketContext): Gate {
  const address = countedAs(socket.data.address);
  let last: Promise<unknown> = Promise.resolve();

  async function ask(name: string, raw: unknown): Promise<WireError | undefined> {
    const kind = kindOf(name);
    if (kind === undefined) return undefined;
    const user = socket.data.user.userId;
    const verdict = await limits.take(kind, { user, address, workshop: workshopOf(raw) });
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
      const passed = last.then(() => ask(name, raw));
      last = passed;
      return passed;
    },
    refused(name) {
      if (kindOf(name) === undefined) void strike();
    },
  };
}

/** Nothing is parsed yet: what is no id counts for no workshop. */
function workshopOf(raw: unknown): number | undefined {
  if (typeof raw !== 'object' || raw === null || !('workshopId' in raw)) return undefined;
  const { workshopId } = raw;
  return Number.isSafeInteger(workshopId) ? (workshopId as number) : undefined;
}
