/**
 * One room as one socket sees it: joins it, keeps its view up to date from whatever the server sends – states, single events,
 * batches –, and sends commands. Observable: snapshots stay the same object until something changes.
 */
import type { Socket } from 'socket.io-client';
import { wireError } from '../protocol/errors.ts';
import type { EventBatch, LooseEvent, StateView } from '../protocol/wire.ts';
import { type CommandLimits, commandQueue } from './commandQueue.ts';
import { type Reply, readReply, type WireError } from './reply.ts';
import { type Phase, roomSession } from './roomSession.ts';
import {
  applyStretch,
  isOver,
  isPage,
  type RoomView,
  roomView,
  type Stretch,
  viewAfterRefusal,
  withPage,
} from './roomView.ts';

export interface FollowerSnapshot {
  /** null until known, and again after leaving. */
  readonly view: RoomView | null;
  readonly phase: Phase;
  /** Why one is not in the room, although one wished to be. */
  readonly error: WireError | null;
  /** With the error `removed`: what the host gave as the reason, if anything. */
  readonly removalReason: string | null;
  /** Who the server takes this socket for: known from the first join on. */
  readonly userId: number | null;
}

/** Of a room that nothing is known of. */
export const unknownRoom: FollowerSnapshot = {
  view: null,
  phase: 'outside',
  error: null,
  removalReason: null,
  userId: null,
};

export interface Follower {
  readonly workshopId: number;
  snapshot(): FollowerSnapshot;
  /** Called after every change of the snapshot. Returns the end of it. */
  subscribe(listener: () => void): () => void;
  /** Each event once, in order, after the snapshot holds it; not the events that a state already contains. */
  onEvent(listener: (event: LooseEvent) => void): () => void;
  /** Enters the room and stays, across reconnects, until `leave`, removal or the workshop's end. */
  join(): Promise<Reply>;
  leave(): Promise<Reply>;
  /** Sends a command by its bare name. Never rejects. */
  send(name: string, payload?: object): Promise<Reply>;
  /** Fetches the attendees beyond those that a state lists. False where that could not be finished. */
  loadAttendees(): Promise<boolean>;
  /** Answers what waits with a refusal: the socket is closed for good. */
  close(): void;
}

export interface FollowerOptions {
  limits?: CommandLimits;
}

const prefix = 'workshop:';
const pageMs = 10_000;

export function follower(socket: Socket, workshopId: number, options: FollowerOptions = {}): Follower {
  let snapshot = unknownRoom;
  let attached = false;
  /** The version at which the last join was acknowledged; 0 where the log lost it since. */
  let enteredAt = 0;
  const listeners = new Set<() => void>();
  const eventListeners = new Set<(event: LooseEvent) => void>();

  function ask(name: string, payload: object, withinMs: number, answered: (answer?: unknown) => void): void {
    socket
      .timeout(withinMs)
      .emit(`${prefix}${name}`, { workshopId, ...payload }, (error: Error | null, answer: unknown) =>
        answered(error === null ? answer : undefined),
      );
  }

  function send(name: string, payload: object, withinMs: number, answered: (reply?: Reply) => void): void {
    ask(name, payload, withinMs, (answer) => answered(answer === undefined ? undefined : readReply(answer)));
  }

  const queue = commandQueue(
    {
      // While a join is on its way commands wait for it: sent before it they would be `not_joined`.
      isOpen: () => socket.connected && session.phase !== 'joining',
      send,
      onDrained: rest,
    },
    options.limits,
  );

  const session = roomSession({
    isConnected: () => socket.connected,
    resumePoint: () =>
      snapshot.view === null ? null : { version: snapshot.view.version, epoch: snapshot.view.epoch },
    send: (name, payload, withinMs, answered) =>
      send(name, payload, withinMs, (reply) => {
        answered(reply);
        rest();
      }),
    onAnswer: joinAnswered,
    onPhase: (phase) => {
      change({ phase });
      queue.flush();
    },
  });

  function change(changes: Partial<FollowerSnapshot>): void {
    snapshot = { ...snapshot, ...changes };
    for (const listener of [...listeners]) listener();
  }

  function joinAnswered(reply: Reply): void {
    const { view } = snapshot;
    if (!reply.ok) {
      const { error } = reply;
      const keeps = error.retryable ? view : viewAfterRefusal(view, error.code);
      // Trying again after a removal is refused without a reason: the one that was heard still holds.
      const removalReason = error.code === 'removed' ? snapshot.removalReason : null;
      change({ view: keeps, error, removalReason });
      return;
    }
    enteredAt = reply.version;
    // A resume may go on in a later epoch. Without one the state that follows says everything.
    const resumed = reply.resumed === true && view !== null && reply.epoch !== undefined;
    const current = resumed ? { ...view, epoch: reply.epoch ?? view.epoch } : view;
    const userId = reply.userId ?? snapshot.userId;
    change({ view: current, error: null, removalReason: null, userId });
  }

  function hear(name: string, message: unknown): void {
    if (!name.startsWith(prefix) || !concerns(message, workshopId)) return;
    const type = name.slice(prefix.length);
    // From here on the shapes are the server's word: the name tells which.
    if (type === 'state') takeState(message as unknown as StateView);
    else if (type === 'events') takeBatch(message as unknown as EventBatch);
    else if (typeof message.version === 'number' && typeof message.at === 'string')
      takeEvent({ ...message, version: message.version, at: message.at, type });
  }

  function takeState(state: StateView): void {
    const { view } = snapshot;
    if (view !== null && view.epoch === state.epoch && state.version < view.version) return;
    // Versions are given out anew: a removal below that of the join ends this stay, and none before it.
    if (state.version < enteredAt) enteredAt = 0;
    change({ view: roomView(state) });
  }

  function takeEvent(event: LooseEvent): void {
    take({ from: event.version, to: event.version, events: [event] });
  }

  function takeBatch(batch: EventBatch): void {
    const fresh = take(batch);
    const { view } = snapshot;
    if (batch.epoch !== undefined && view?.version === batch.to)
      change({ view: { ...view, epoch: batch.epoch } });
    for (const event of fresh) {
      // Who listens on the socket itself hears single events, whichever way they came.
      const { type, ...told } = event;
      for (const listener of socket.listeners(`${prefix}${type}`)) listener({ workshopId, ...told });
    }
  }

  /** Applies what is new and returns it. */
  function take(stretch: Stretch): LooseEvent[] {
    const { view } = snapshot;
    if (view === null) return [];
    // Who was removed while joining gets a state that knows of it already, and then is told.
    const told = stretch.events.find((event) => event.version <= view.version && isOwnRemoval(event));
    if (told !== undefined) {
      obey(told);
      return [];
    }
    const next = applyStretch(view, stretch);
    if (next === undefined) {
      session.renew();
      return [];
    }
    if (next === view) return [];
    const fresh = stretch.events.filter((event) => event.version > view.version);
    change({ view: next });
    for (const event of fresh) {
      obey(event);
      for (const listener of [...eventListeners]) listener(event);
    }
    return fresh;
  }

  /** What an event means for this socket's own place in the room. */
  function obey(event: LooseEvent): void {
    if (event.type === 'state-changed' && (event.status === 'ended' || event.status === 'cancelled'))
      session.expel();
    if (!isOwnRemoval(event)) return;
    session.expel();
    const removalReason = typeof event.reason === 'string' ? event.reason : null;
    change({ view: null, error: wireError('removed'), removalReason });
  }

  /** One from before the last join is told to who resumes, and ended an earlier stay. */
  function isOwnRemoval(event: LooseEvent): boolean {
    return event.type === 'user-removed' && event.userId === snapshot.userId && event.version > enteredAt;
  }

  function onConnect(): void {
    session.connect();
    queue.flush();
  }

  function onDisconnect(): void {
    queue.interrupt();
    session.interrupt();
  }

  function attach(): void {
    if (attached) return;
    attached = true;
    socket.onAny(hear);
    socket.on('connect', onConnect);
    socket.on('disconnect', onDisconnect);
  }

  /** Stops listening once nobody cares: no subscriber, nobody inside, nothing waiting. */
  function rest(): void {
    if (!attached || listeners.size > 0 || eventListeners.size > 0) return;
    if (session.phase !== 'outside' || queue.size > 0) return;
    attached = false;
    socket.offAny(hear);
    socket.off('connect', onConnect);
    socket.off('disconnect', onDisconnect);
    // What happens from here on is not heard: only what is over stays true.
    if (!isOver(snapshot.view)) snapshot = { ...snapshot, view: null };
  }

  function watch<T>(set: Set<T>, listener: T): () => void {
    attach();
    set.add(listener);
    return () => {
      set.delete(listener);
      rest();
    };
  }

  function loadAttendees(): Promise<boolean> {
    return new Promise((resolve) => {
      const walked = new Set<number>();
      const next = (cursor: string | undefined, tries: number) =>
        // The page is taken in the acknowledgement itself: a moment later events may have come after it.
        ask('attendees', cursor === undefined ? {} : { cursor }, pageMs, (answer) => {
          const { view } = snapshot;
          if (view === null || !isPage(answer)) return resolve(false);
          if (answer.version < view.version) return tries > 0 ? next(cursor, tries - 1) : resolve(false);
          change({ view: withPage(view, walked, answer.items) });
          for (const attendee of answer.items) walked.add(attendee.userId);
          if (answer.nextCursor === null) return resolve(true);
          next(answer.nextCursor, tries);
        });
      if (!socket.connected || session.phase !== 'inside') return resolve(false);
      next(undefined, 3);
    });
  }

  return {
    workshopId,
    snapshot: () => snapshot,
    subscribe: (listener) => watch(listeners, listener),
    onEvent: (listener) => watch(eventListeners, listener),
    join() {
      attach();
      return session.join();
    },
    leave() {
      const left = session.leave();
      change({ view: null, error: null, removalReason: null });
      rest();
      return left;
    },
    send(name, payload = {}) {
      attach();
      return queue.push(name, payload);
    },
    loadAttendees,
    close() {
      session.expel();
      queue.close();
      rest();
    },
  };
}

function concerns(message: unknown, workshopId: number): message is Record<string, unknown> {
  if (typeof message !== 'object' || message === null) return false;
  return 'workshopId' in message && message.workshopId === workshopId;
}
