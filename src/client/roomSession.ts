/**
 * In and out of one room. A join that is wanted is asked for after every reconnect until it is answered for good.
 *
 * ```
 *              join                ok
 *  outside ───────────► joining ───────► inside
 *     ▲                  │   ▲             │ │
 *     │ refused, leave   │   └─ cut ───────┘ │
 *     └──────────────────┴───── over, leave ─┘
 * ```
 */
import { afterHint, backoff, type Reply, refusal } from './reply.ts';

export type Phase = 'outside' | 'joining' | 'inside';

export interface RoomSession {
  readonly phase: Phase;
  /** Resolves to the first answer. A refusal that may pass is tried again by itself, until `leave`. */
  join(): Promise<Reply>;
  leave(): Promise<Reply>;
  /** Joins once more on the same connection, for a fresh state. */
  renew(): void;
  /** The room was left without asking: the workshop is over, or one was removed. */
  expel(): void;
  /** The connection broke, or was made. */
  interrupt(): void;
  connect(): void;
}

export interface RoomSessionOptions {
  isConnected(): boolean;
  /** Up to where everything is known, or null. */
  resumePoint(): { version: number; epoch: string } | null;
  send(name: 'join' | 'leave', payload: object, withinMs: number, answered: (reply?: Reply) => void): void;
  onAnswer(reply: Reply): void;
  onPhase(phase: Phase): void;
  /** How long `join` waits for an answer, and how long one join and one leave do. */
  deadlineMs?: number;
  repeatMs?: number;
  leaveMs?: number;
}

export function roomSession(options: RoomSessionOptions): RoomSession {
  const { deadlineMs = 30_000, repeatMs = 8_000, leaveMs = 2_000 } = options;
  let phase: Phase = 'outside';
  /** Counts what was asked: an answer to anything but the last is stale. */
  let turn = 0;
  let underWay = false;
  let refusals = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let leaving: Promise<Reply> | undefined;
  const waiters = new Set<(reply: Reply) => void>();

  function enter(how: 'fresh' | 'resume'): void {
    clearTimeout(retry);
    if (!options.isConnected()) return;
    const mine = ++turn;
    underWay = true;
    const after = how === 'resume' ? options.resumePoint() : null;
    options.send('join', { batch: true, ...(after !== null && { after }) }, repeatMs, (reply) => {
      if (mine !== turn) return;
      underWay = false;
      if (reply === undefined) return enter(how);
      settle(reply, how);
    });
  }

  function settle(reply: Reply, how: 'fresh' | 'resume'): void {
    let next: Phase = 'inside';
    if (!reply.ok) next = reply.error.retryable ? 'joining' : 'outside';
    if (reply.ok) refusals = 0;
    else if (reply.error.retryable) {
      const { retryAfterMs } = reply.error;
      const waitMs = retryAfterMs === undefined ? backoff(refusals++) : afterHint(retryAfterMs);
      retry = setTimeout(() => enter(how), waitMs);
    }
    options.onAnswer(reply);
    move(next);
    answerWaiters(reply);
  }

  function move(to: Phase): void {
    if (phase === to) return;
    phase = to;
    options.onPhase(to);
  }

  function answerWaiters(reply: Reply): void {
    for (const waiter of [...waiters]) waiter(reply);
  }

  /** Nothing asked before counts any more. */
  function forget(): void {
    turn++;
    underWay = false;
    clearTimeout(retry);
  }

  return {
    get phase() {
      return phase;
    },
    join() {
      const answered = new Promise<Reply>((resolve) => {
        const late = setTimeout(() => waiter(refusal('unavailable', 'no answer came in time')), deadlineMs);
        const waiter = (reply: Reply) => {
          clearTimeout(late);
          waiters.delete(waiter);
          resolve(reply);
        };
        waiters.add(waiter);
      });
      if (phase === 'outside') move('joining');
      if (!underWay) enter('resume');
      return answered;
    },
    leave() {
      if (phase === 'outside') return leaving ?? Promise.resolve(refusal('not_joined'));
      forget();
      move('outside');
      answerWaiters(refusal('not_joined', 'left before the join was answered'));
      // Without a connection there is nothing to leave: the server has noticed, or will.
      if (!options.isConnected()) return Promise.resolve(refusal('unavailable', 'not connected'));
      const left = new Promise<Reply>((resolve) => {
        options.send('leave', {}, leaveMs, (reply) => {
          if (leaving === left) leaving = undefined;
          resolve(reply ?? refusal('unavailable', 'no answer came in time'));
        });
      });
      leaving = left;
      return left;
    },
    renew() {
      if (!underWay) enter('fresh');
    },
    expel() {
      forget();
      move('outside');
      answerWaiters(refusal('not_joined'));
    },
    interrupt() {
      forget();
      if (phase === 'inside') move('joining');
    },
    connect() {
      if (phase === 'joining') enter('resume');
    },
  };
}
