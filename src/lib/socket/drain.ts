/**
 * Emptying a node that is about to end: its clients move to other nodes, spread over a window of time, so that those are not
 * asked for everything at once.
 *
 *   ┌── lead ──┬──────────────── the rest of the window ────────────────┬ end
 *   as before; │ every socket is told `workshop:draining { withinMs }`; │ whoever is left, once what it
 *   load       │ new sessions are refused; who stays longer than a      │ sent is answered
 *   balancers  │ steady leaving would have it is cut, a few at a time   │
 *   look away  │                                                        │
 *
 * A socket is cut as a network does it, and not disconnected: then every Socket.IO client comes back by itself.
 */
import { commandTimeoutMs } from '../../engine/engine.ts';
import { type DrainNotice, wireName } from '../../protocol/wire.ts';
import { pause } from '../../timing/retry.ts';
import type { WorkshopNamespace, WorkshopSocket } from './socket.ts';

export interface Drain {
  /** Whether new sessions are to be refused: they would have to move at once. */
  isRefusing(): boolean;
  /** Resolves when no socket is left, or none that is worth waiting for. With 0 everyone is cut at once. */
  run(windowMs: number): Promise<void>;
}

/** Load balancers ask for readiness every second or two; who comes meanwhile is served like the others. */
const leadMs = 2_000;
const tickMs = 100;
/** Any command is answered in this time. */
const answersMs = commandTimeoutMs + 500;

export function drain(nsp: WorkshopNamespace): Drain {
  let refusing = false;
  /** `performance.now()` at the end of the window. */
  let end = 0;

  /** What it sends from now on is not taken, and it goes as soon as what it had sent is answered. */
  function retire(socket: WorkshopSocket): void {
    socket.data.retiring = true;
  }

  function cutRetired(): void {
    for (const socket of [...nsp.sockets.values()]) {
      const { data, conn } = socket;
      if (!data.retiring || data.underWay > 0) continue;
      if (data.shares) socket.disconnect();
      else conn.close();
    }
  }

  async function whileConnected(until: number, each: () => void = () => undefined): Promise<void> {
    while (nsp.sockets.size > 0 && performance.now() < until) {
      each();
      await pause(Math.min(tickMs, Math.max(1, until - performance.now())));
    }
  }

  function announce(target: { emit(name: string, notice: DrainNotice): unknown }): void {
    const withinMs = Math.round(end - performance.now());
    if (withinMs > 0) target.emit(wireName('draining'), { withinMs });
  }

  async function spread(windowMs: number): Promise<void> {
    end = performance.now() + windowMs;
    const lead = Math.min(leadMs, windowMs / 5);
    await whileConnected(end - windowMs + lead);
    refusing = true;
    const all = nsp.sockets.size;
    announce(nsp.local);
    // Whose session had begun before they were refused.
    nsp.on('connection', announce);
    await whileConnected(end, () => {
      const allowed = Math.ceil((all * (end - performance.now())) / (windowMs - lead));
      const staying = [...nsp.sockets.values()].filter(({ data }) => !data.retiring);
      for (const socket of staying.slice(0, Math.max(0, staying.length - allowed))) retire(socket);
      cutRetired();
    });
    nsp.off('connection', announce);
  }

  return {
    isRefusing: () => refusing,
    async run(windowMs) {
      if (windowMs > 0) await spread(windowMs);
      refusing = true;
      await whileConnected(performance.now() + answersMs, () => {
        for (const socket of nsp.sockets.values()) retire(socket);
        cutRetired();
      });
    },
  };
}
