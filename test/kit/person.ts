/**
 * Someone in a workshop, over plain socket.io, who writes down everything: what was sent, answered and received, on which
 * connection. Comes back by itself after a cut, to the next node, resumes where it was, and repeats under the same id what
 * was not answered – as the protocol asks of a client, told here a second time.
 */
import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { applyStretch, type RoomView, roomView } from '../../src/client/roomView.ts';
import type { Reply, StateView } from '../../src/protocol/wire.ts';
import { isFinal } from './history/answers.ts';
import { batchOf, endsPresence, joinedIn } from './history/heard.ts';
import type { NewStep, Recording, Step } from './history/history.ts';
import { token } from './server.ts';
import { until } from './until.ts';

export interface PersonOptions {
  userId: number;
  workshopId: number;
  /** Addresses of nodes. The first connection goes to the one at `userId` modulo their number, the next to the one after. */
  nodes: readonly string[];
  /** Batches instead of single messages; left out, those with an even id get them. */
  batch?: boolean;
  /** The id under which something is sent again. Another one each time is what a careless client would take. */
  repeats?: 'under-one-id' | 'under-a-new-id';
  /** What to resume after, given what was seen; for clients that get it wrong. */
  resumePoint?: (seen: ResumePoint) => ResumePoint | undefined;
  /** Milliseconds until something unanswered is sent again. */
  repeatMs?: number;
  /** Whether a node that leaves two sendings unanswered is left for the next one; true if left out. */
  restless?: boolean;
}

export interface ResumePoint {
  version: number;
  epoch: string;
}

export interface Person {
  readonly userId: number;
  readonly recording: Recording;
  /** The room as this person has folded it; undefined before the first state. */
  readonly view: RoomView | undefined;
  /** The epoch that the view belongs to. */
  readonly epoch: string;
  /** In the room, as far as this person knows. */
  readonly inside: boolean;
  /** On the way in: the join has no final answer yet. */
  readonly joining: boolean;
  /** How many things were asked and have no final answer. */
  readonly waiting: number;
  /** Enters and stays, across connections. Resolves to the first final answer; again to the same while one stays. */
  join(): Promise<Reply>;
  leave(): Promise<Reply>;
  /** Sends it until a final answer comes, and resolves to that. What `close` cuts off is `unavailable`. */
  send(name: string, payload?: Record<string, unknown>, commandId?: string): Promise<Reply>;
  /** Breaks the connection, and comes back to that node or to the next one. */
  moveTo(url?: string): void;
  /** Resolves when the room is folded up to that version at least. */
  reaches(version: number, timeout?: number): Promise<void>;
  /** Ends it, and what waits with it; nothing more is recorded. */
  close(): void;
}

interface Wish {
  number: number;
  name: string;
  payload: Record<string, unknown>;
  commandId: string;
  underWay: boolean;
  settle(reply: Reply): void;
}

const cutOff: Reply = {
  ok: false,
  error: { code: 'unavailable', message: 'this client was closed', retryable: true },
};

export function person(options: PersonOptions): Person {
  const { userId, workshopId, nodes, repeats = 'under-one-id', repeatMs = 2_500, restless = true } = options;
  const batch = options.batch ?? userId % 2 === 0;
  const recording: Recording = { userId, workshopId, began: Date.now(), steps: [] };
  const began = performance.now();
  const wishes = new Set<Wish>();
  const timers = new Set<NodeJS.Timeout>();
  let wished = 0;
  let connection = 0;
  let node = userId % nodes.length;
  let socket: Socket | undefined;
  let unanswered = 0;
  let view: RoomView | undefined;
  let epoch = '';
  let joinedAt = 0;
  /** The join that is wanted, until it is answered for good or for as long as one stays. */
  let entering: Wish | undefined;
  let entered: Promise<Reply> | undefined;
  let inside = false;
  let closed = false;

  function note(step: NewStep): void {
    if (!closed) recording.steps.push({ ms: performance.now() - began, connection, ...step } as Step);
  }

  function after(ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      then();
    }, ms);
    timers.add(timer);
  }

  async function connect(): Promise<void> {
    const url = nodes[node] ?? '';
    const auth = { token: await token({ id: userId }), protocol: 1 };
    if (closed) return;
    connection++;
    const mine = io(`${url}/workshop`, {
      auth,
      ...{ transports: ['websocket'], forceNew: true, reconnection: false, timeout: 3_000 },
    });
    socket = mine;
    unanswered = 0;
    mine.on('connect', () => {
      note({ kind: 'connected', url });
      if (entering !== undefined) enter(entering);
      else flush();
    });
    mine.onAny((name: string, payload: Record<string, unknown>) =>
      hear(name.replace(/^workshop:/, ''), payload),
    );
    mine.on('disconnect', () => away());
    mine.on('connect_error', () => away());
  }

  /** The connection is no more; another one follows. */
  function away(to = (node + 1) % nodes.length): void {
    if (socket === undefined || closed) return;
    note({ kind: 'disconnected' });
    release();
    inside = false;
    for (const wish of [...wishes]) {
      wish.underWay = false;
      // Gone one is already, and a leaving that is sent again may come after the next joining.
      if (wish.name === 'leave') wish.settle(cutOff);
    }
    node = to;
    after(30 + Math.random() * 120, () => void connect());
  }

  function release(): void {
    socket?.offAny();
    socket?.removeAllListeners();
    socket?.disconnect();
    socket = undefined;
  }

  /** Sends one message. `tell` gets undefined if no answer came in time, and the answer, also one that is late. */
  function emit(wish: Wish, payload: Record<string, unknown>, tell: (reply?: Reply) => void): void {
    const mine = socket;
    if (mine === undefined) return;
    const { number, name, commandId } = wish;
    note({ kind: 'asked', wish: number, name, commandId, payload });
    let answered = false;
    const settle = (reply?: Reply) => {
      if (answered || socket !== mine) return;
      answered = reply !== undefined;
      unanswered = reply === undefined ? unanswered + 1 : 0;
      if (restless && unanswered > 2) away();
      else tell(reply);
    };
    mine.emit(`workshop:${name}`, { workshopId, commandId, ...payload }, (reply: Reply) => {
      // An answer that comes too late for whoever waited is on record all the same.
      if (socket !== mine) return;
      note({ kind: 'answered', wish: number, name, commandId, reply });
      settle(reply);
    });
    after(repeatMs, settle);
  }

  function enter(wish: Wish): void {
    const seen = view && { version: view.version, epoch };
    const resume = seen && (options.resumePoint ?? ((point) => point))(seen);
    // Each sending has an id of its own: it suppresses nothing, and tells which answer belongs to which resume point.
    wish.commandId = randomUUID();
    emit(wish, { ...(batch && { batch }), ...(resume && { after: resume }) }, (reply) => {
      // On one connection a join is asked once: a second one would bring what was missed a second time.
      if (entering !== wish || reply === undefined) return;
      if (!isFinal(reply)) return after(100, () => entering === wish && enter(wish));
      if (reply.ok) {
        inside = true;
        joinedAt = reply.version;
        epoch = reply.epoch ?? epoch;
      } else entering = undefined;
      wish.settle(reply);
      flush();
    });
  }

  function deliver(wish: Wish): void {
    if (repeats === 'under-a-new-id') wish.commandId = randomUUID();
    wish.underWay = true;
    emit(wish, wish.payload, (reply) => {
      if (!wishes.has(wish)) return;
      if (reply === undefined && wish.name === 'leave') return;
      if (reply === undefined) return deliver(wish);
      if (isFinal(reply)) return wish.settle(reply);
      const wait = !reply.ok ? (reply.error.retryAfterMs ?? 100) : 0;
      after(wait, () => {
        wish.underWay = false;
        flush();
      });
    });
  }

  /** Sends what is not under way, in the order of wishing; not while a join is awaited, since it would be refused. */
  function flush(): void {
    if (socket?.connected !== true || (entering !== undefined && !inside)) return;
    for (const wish of [...wishes]) if (!wish.underWay) deliver(wish);
  }

  function hear(name: string, payload: Record<string, unknown>): void {
    note({ kind: 'heard', name, payload });
    if (payload?.workshopId !== workshopId) return;
    if (name === 'state') {
      view = roomView(payload as unknown as StateView);
      epoch = view.epoch;
      joinedAt = joinedIn(view, joinedAt);
    }
    const stretch = batchOf(name, payload);
    if (stretch === undefined || view === undefined) return;
    // A gap is the checker's to find: here one goes on as if nothing were missing.
    view = applyStretch(view, stretch) ?? view;
    epoch = stretch.epoch ?? epoch;
    if (!stretch.events.some((event) => endsPresence(event, userId, joinedAt))) return;
    inside = false;
    entering = undefined;
    flush();
  }

  function wish(name: string, payload: Record<string, unknown>, commandId: string = randomUUID()) {
    let made: Wish | undefined;
    const answered = new Promise<Reply>((resolve) => {
      made = {
        ...{ number: ++wished, name, payload, commandId, underWay: false },
        settle(reply) {
          if (made !== undefined) wishes.delete(made);
          resolve(reply);
        },
      };
    });
    return { wish: made as unknown as Wish, answered };
  }

  void connect();
  return {
    userId,
    recording,
    get view() {
      return view;
    },
    get epoch() {
      return epoch;
    },
    get inside() {
      return inside;
    },
    get joining() {
      return entering !== undefined && !inside;
    },
    get waiting() {
      return wishes.size;
    },
    join() {
      if (entered !== undefined && entering !== undefined) return entered;
      const asked = wish('join', {});
      entering = asked.wish;
      inside = false;
      if (socket?.connected) enter(asked.wish);
      entered = asked.answered;
      return entered;
    },
    async leave() {
      entering = undefined;
      const asked = wish('leave', {});
      wishes.add(asked.wish);
      flush();
      const reply = await asked.answered;
      // Unless one is coming back already.
      if (entering === undefined) inside = false;
      return reply;
    },
    send(name, payload = {}, commandId) {
      const asked = wish(name, payload, commandId);
      if (closed) return Promise.resolve(cutOff);
      wishes.add(asked.wish);
      flush();
      return asked.answered;
    },
    moveTo(url) {
      const to = url === undefined ? undefined : nodes.indexOf(url);
      away(to);
    },
    async reaches(version, timeout = 10_000) {
      const arrived = () => (view?.version ?? 0) >= version;
      await until(arrived, { what: `user ${userId} at ${view?.version} to reach ${version}`, timeout });
    },
    close() {
      closed = true;
      release();
      for (const timer of timers) clearTimeout(timer);
      for (const open of [...wishes]) open.settle(cutOff);
      entering?.settle(cutOff);
    },
  };
}
