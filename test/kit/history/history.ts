/**
 * What a test knows of a run when it is over: the raw log, what every client sent, was answered and received, and the
 * tables. `check.ts` holds it against the six invariants.
 */
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import type { Reply } from '../../../src/protocol/wire.ts';
import type { Tables } from '../../projections/expected.ts';

/** What one person did and met in one workshop, in order. A person has one connection at a time; they are counted. */
export interface Recording {
  userId: number;
  workshopId: number;
  /** When it began, milliseconds since 1970 by a clock that agrees with the log's; the steps count from there. */
  began: number;
  steps: Step[];
}

export type Step = { ms: number; connection: number } & (
  | { kind: 'connected'; url: string }
  | { kind: 'disconnected' }
  /** A wish is one thing that the person wants done; it may be sent several times. */
  | { kind: 'asked'; wish: number; name: string; commandId: string; payload: Record<string, unknown> }
  | { kind: 'answered'; wish: number; name: string; commandId: string; reply: Reply }
  /** Everything that came without being an answer; the name without its prefix. */
  | { kind: 'heard'; name: string; payload: Record<string, unknown> }
);

type Kinds = Step['kind'];
export type StepOf<K extends Kinds> = Extract<Step, { kind: K }>;
/** A step before it has its time and connection. */
export type NewStep = { [K in Kinds]: Omit<StepOf<K>, 'ms' | 'connection'> }[Kinds];

export interface History {
  /** Every workshop that the log holds, as it lies there. */
  log: ReadonlyMap<number, readonly RecordedEvent[]>;
  recordings: readonly Recording[];
  /** Tables of the workshops that are to be compared; none are where this is left out. */
  tables?: ReadonlyMap<number, Tables>;
  /** The log may have lost events that were acknowledged: then whoever saw them must have been told. */
  mayLose?: boolean;
  /** Users who may delete any message. */
  admins?: ReadonlySet<number>;
}

export type Invariant = 'C1' | 'C2' | 'C3' | 'C4' | 'C5' | 'C6';

export interface Violation {
  invariant: Invariant;
  workshopId: number;
  /** What is wrong, with the version or the command that it is about. */
  what: string;
}

/** A command that was acknowledged and is not in the log any more. */
export interface Lost {
  workshopId: number;
  userId: number;
  commandId: string;
  version: number;
}

export type Report = (what: string) => void;
