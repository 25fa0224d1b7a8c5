/**
 * Commands on their way to one room. Each carries an id of its own and is sent again under it until it is answered or its
 * deadline has come: the server does it once however often it arrives. Sent in the order of asking.
 */
import { freshCommandId } from './commandId.ts';
import { type Reply, refusal } from './reply.ts';

export interface CommandQueue {
  /** Resolves to the server's reply, or to a refusal `unavailable` where none came in time. Never rejects. */
  push(name: string, payload: object): Promise<Reply>;
  /** Sends what is not under way. */
  flush(): void;
  /** The connection broke: nothing that was under way will be answered. */
  interrupt(): void;
  /** Commands that are not answered yet. */
  readonly size: number;
  /** Answers everything that waits with a refusal. */
  close(): void;
}

export interface CommandLimits {
  /** Milliseconds in which a command wants to be answered, all its repeats included. */
  deadlineMs: number;
  /** Milliseconds after which an unanswered command is sent again on a connection that stands. */
  repeatMs: number;
  /** How many may wait at once. */
  waiting: number;
}

/** The server remembers ids for ten minutes at least; the deadline must stay well below that. */
export const commandLimits: CommandLimits = { deadlineMs: 30_000, repeatMs: 8_000, waiting: 100 };

export interface Transport {
  /** Whether commands may go out now. */
  isOpen(): boolean;
  /** Sends a command; `answered` is called once, with undefined if no answer came within `withinMs`. */
  send(name: string, payload: object, withinMs: number, answered: (reply: Reply | undefined) => void): void;
  /** Nothing waits any more. */
  onDrained?(): void;
}

interface Waiting {
  name: string;
  payload: object;
  /** Counts the sendings: only the last one's answer is taken. */
  sendings: number;
  underWay: boolean;
  settle(reply: Reply): void;
}

export function commandQueue(transport: Transport, limits: CommandLimits = commandLimits): CommandQueue {
  const waiting = new Set<Waiting>();

  function send(command: Waiting): void {
    command.underWay = true;
    const sending = ++command.sendings;
    transport.send(command.name, command.payload, limits.repeatMs, (reply) => {
      if (sending !== command.sendings || !waiting.has(command)) return;
      if (reply !== undefined) return command.settle(reply);
      command.underWay = false;
      if (transport.isOpen()) send(command);
    });
  }

  return {
    push(name, payload) {
      if (waiting.size >= limits.waiting)
        return Promise.resolve(refusal('unavailable', 'too many commands are waiting for the connection'));
      return new Promise((resolve) => {
        const deadline = setTimeout(
          () =>
            command.settle(
              refusal('unavailable', 'no answer came in time: it may or may not have been done'),
            ),
          limits.deadlineMs,
        );
        const command: Waiting = {
          name,
          payload: { commandId: freshCommandId(), ...payload },
          sendings: 0,
          underWay: false,
          settle(reply) {
            clearTimeout(deadline);
            waiting.delete(command);
            resolve(reply);
            if (waiting.size === 0) transport.onDrained?.();
          },
        };
        waiting.add(command);
        if (transport.isOpen()) send(command);
      });
    },
    flush() {
      for (const command of [...waiting]) if (!command.underWay && transport.isOpen()) send(command);
    },
    interrupt() {
      for (const command of waiting) {
        command.underWay = false;
        command.sendings++;
      }
    },
    get size() {
      return waiting.size;
    },
    close() {
      for (const command of [...waiting]) command.settle(refusal('unavailable', 'the connection was closed'));
    },
  };
}
