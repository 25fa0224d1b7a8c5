/**
 * C3: what a client received is contiguous from its state on, across connections and nodes; it is what the log holds; and
 * the room that the client folded from it equals a replay.
 */
import { applyStretch, type RoomView, roomView } from '../../../src/client/roomView.ts';
import { evolve, type RecordedEvent } from '../../../src/domain/evolve.ts';
import { emptyRoom, type Room } from '../../../src/domain/room.ts';
import {
  type EventBatch,
  type LooseEvent,
  type StateView,
  stateView,
  wireEvent,
} from '../../../src/protocol/wire.ts';
import type { Recording, Report, StepOf } from './history.ts';

/** What was received from one state to the next: one run of versions. */
interface Run {
  state: StateView;
  events: LooseEvent[];
  view: RoomView;
  /** Something was missing or twice: one such fault is told, and not all that follows from it. */
  broken: boolean;
}

export interface HeardOptions {
  /** The log may have lost events: whoever saw them must have been told by a new epoch. */
  mayLose: boolean;
  /** Something that was acknowledged to this person is lost. */
  lost: boolean;
}

export function checkHeard(
  events: readonly RecordedEvent[],
  recording: Recording,
  { mayLose, lost }: HeardOptions,
  reportTo: Report,
): void {
  const report = (what: string) => reportTo(`user ${recording.userId}: ${what}`);
  const { runs, following, epochs } = runsOf(recording, report);
  const replay = replayOf(recording.workshopId, events);
  for (const [index, run] of runs.entries()) {
    const parted = partingOf(run, replay);
    if (parted !== undefined) {
      const next = runs[index + 1];
      const wasTold = next !== undefined && next.state.epoch !== run.state.epoch;
      if (!mayLose) report(parted);
      else if (!wasTold && following) report(`${parted}, and no state under another epoch came`);
    }
  }
  const last = runs.at(-1);
  if (following && last?.broken === false && last.view.version < events.length)
    report(`got no further than version ${last.view.version} of ${events.length}`);
  if (lost && following && epochs.size < 2)
    report('a command was acknowledged and lost, and nothing came under another epoch');
}

/** Walks through what was received; `following` is whether the client was in the room at the end. */
function runsOf(recording: Recording, report: Report) {
  const runs: Run[] = [];
  const epochs = new Set<string>();
  /** Whether what comes follows on the last run; `awaiting` a state that a join was promised. */
  let place = 'outside' as 'outside' | 'awaiting' | 'following' | 'over';
  let epoch = '';
  let awaited = false;
  let joinedAt = 0;

  function joined({ reply, commandId }: StepOf<'answered'>): void {
    if (!reply.ok) return;
    joinedAt = reply.version;
    if (reply.resumed !== true) {
      if (place !== 'following') place = 'awaiting';
      awaited = true;
      return;
    }
    const after = resumePoint(recording, commandId);
    const run = runs.at(-1);
    if (run === undefined || after !== run.view.version)
      report(`resumed after version ${after} with a room of version ${run?.view.version ?? 0}`);
    epoch = reply.epoch ?? epoch;
    epochs.add(epoch);
    place = 'following';
  }

  function took(name: string, payload: Record<string, unknown>): void {
    if (name === 'state') {
      const state = payload as unknown as StateView;
      if (!awaited && state.epoch === epoch)
        report(`a state of version ${state.version} under the same epoch came unasked`);
      if (place === 'outside' || place === 'over') report(`a state of version ${state.version} came outside`);
      runs.push({ state, events: [], view: roomView(state), broken: false });
      epoch = state.epoch;
      joinedAt = joinedIn(state, joinedAt);
      epochs.add(epoch);
      awaited = false;
      place = 'following';
      return;
    }
    const batch = batchOf(name, payload);
    if (batch === undefined) return;
    const run = runs.at(-1);
    if (place !== 'following' || run === undefined) {
      report(`version ${batch.from} came while the client was ${place}`);
      return;
    }
    if (run.broken) return;
    // Who was removed while joining is told last, of something that the state knew already.
    if (
      batch.to <= run.state.version &&
      batch.events.every((event) => endsPresence(event, recording.userId, joinedAt))
    ) {
      place = 'over';
      return;
    }
    const follows = batch.events.every(({ version }, n) => version === run.view.version + 1 + n);
    if (!follows || batch.from !== run.view.version + 1) {
      report(`${versions(batch)} came after version ${run.view.version}`);
      run.broken = true;
      return;
    }
    run.events.push(...batch.events);
    run.view = applyStretch(run.view, batch) ?? run.view;
    epoch = batch.epoch ?? epoch;
    epochs.add(epoch);
    if (batch.events.some((event) => endsPresence(event, recording.userId, joinedAt))) place = 'over';
  }

  for (const step of recording.steps) {
    if (step.kind === 'connected' || step.kind === 'disconnected') {
      place = 'outside';
      awaited = false;
    } else if (step.kind === 'answered' && step.name === 'join') joined(step);
    else if (step.kind === 'answered' && step.name === 'leave' && step.reply.ok) place = 'outside';
    else if (step.kind === 'heard' && step.payload.workshopId === recording.workshopId)
      took(step.name, step.payload);
  }
  if (place === 'awaiting') report('the state that a join was promised never came');
  return { runs, following: place === 'following', epochs };
}

function resumePoint(recording: Recording, commandId: string): number | undefined {
  const asked = recording.steps.findLast((step) => step.kind === 'asked' && step.commandId === commandId);
  if (asked?.kind !== 'asked') return undefined;
  return (asked.payload.after as { version: number } | undefined)?.version;
}

/** Events, whichever way they came; undefined for what is none. */
export function batchOf(name: string, payload: Record<string, unknown>): EventBatch | undefined {
  if (name === 'events') return payload as unknown as EventBatch;
  const { version, at, workshopId, ...rest } = payload;
  if (typeof version !== 'number' || typeof at !== 'string') return undefined;
  const event: LooseEvent = { version, type: name, at, ...rest };
  return { workshopId: Number(workshopId), from: version, to: version, events: [event] };
}

const versions = ({ events }: EventBatch) => `versions ${events.map(({ version }) => version)}`;

/**
 * Whether a client that gets this is in the room no more. A removal from before the own joining is a thing of the past, told
 * to who resumes.
 */
export function endsPresence(event: LooseEvent, userId: number, joinedAt: number): boolean {
  if (event.version <= joinedAt) return false;
  if (event.type === 'user-removed') return event.userId === userId;
  return event.type === 'state-changed' && (event.status === 'ended' || event.status === 'cancelled');
}

/**
 * The version of one's joining, in versions of that state: 0 where the state is older, since the log lost the joining and gives
 * its version out anew.
 */
export function joinedIn({ version }: { version: number }, joinedAt: number): number {
  return version < joinedAt ? 0 : joinedAt;
}

interface Replay {
  events: readonly RecordedEvent[];
  /** At the end of the log. */
  room: Room;
  /** As it was at a version, with what was deleted since left out. */
  at(version: number): StateView;
}

function replayOf(workshopId: number, events: readonly RecordedEvent[]): Replay {
  const room = emptyRoom(workshopId);
  for (const event of events) if (event.version === room.version + 1) evolve(room, event);
  const views = new Map<number, StateView>();
  return {
    events,
    room,
    at(version) {
      const found = views.get(version);
      if (found !== undefined) return found;
      const then = emptyRoom(workshopId);
      for (const event of events.slice(0, version)) evolve(then, event);
      const view = stateView(then, '', Number.POSITIVE_INFINITY);
      views.set(version, view);
      return view;
    },
  };
}

/** Where what was received is not what the log holds, in words; undefined where it is. */
function partingOf({ state, events, view }: Run, replay: Replay): string | undefined {
  if (state.version > replay.events.length)
    return `a state of version ${state.version} came of a log of ${replay.events.length}`;
  const unlike = differs(roomView(state), replay.at(state.version), replay.room);
  if (unlike !== undefined) return `the state of version ${state.version} is not that of the log: ${unlike}`;
  for (const event of events) {
    const there = replay.events[event.version - 1];
    if (there === undefined) return `version ${event.version} came, and the log has none`;
    if (!isTold(event, there, replay.room))
      return `version ${event.version} came as ${JSON.stringify(event)}, and the log has ${JSON.stringify(there)}`;
  }
  const folded = differs(view, replay.at(view.version), replay.room);
  return folded && `the room folded up to version ${view.version} is not that of the log: ${folded}`;
}

/** Whether that is the recorded event as readers get it, with or without the text that was deleted since. */
function isTold(event: LooseEvent, there: RecordedEvent, { startedAt, deleted }: Room): boolean {
  const told = canonical(event);
  return [new Set<number>(), deleted].some(
    (gone) => canonical(wireEvent(there, { startedAt, deleted: gone })) === told,
  );
}

/** The first field in which two views of a room differ; what was deleted by the end counts as deleted in both. */
function differs(view: RoomView, replayed: StateView, { deleted }: Room): string | undefined {
  const [seen, due] = [view, replayed].map((each) => ({
    ...each,
    epoch: '',
    // Of a view that grew, as many messages as a state holds.
    chat: each.chat
      .slice(-replayed.chat.length || each.chat.length)
      .map((line) => (deleted.has(line.id) ? { ...line, message: null, deleted: true } : line)),
  })) as [StateView, StateView];
  for (const key of Object.keys(due) as (keyof StateView)[])
    if (canonical(seen[key]) !== canonical(due[key]))
      return `${key} is ${JSON.stringify(seen[key])} and not ${JSON.stringify(due[key])}`;
  return undefined;
}

/** As text that is the same for the same content, in whatever order its fields came. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}
