/**
 * Plays a script against a server: each act at its time, over real sockets and REST, `speed` times as fast as it says.
 *
 * An act begins when its time has come and what those whom it concerns did before is answered, so that the same script is
 * the same sequence for everyone, however busy the machine; how late that made it is measured. The end waits for everything.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Reply } from '../client/workshopClient.ts';
import type { LooseEvent } from '../protocol/wire.ts';
import { type Act, concerned } from './acts.ts';
import { type Patience, patience } from './patience.ts';
import { host, type Performer, performer } from './performer.ts';
import type { Rest } from './rest.ts';
import type { Script } from './script.ts';
import { type Seen, watch } from './seen.ts';
import type { Ticket } from './tickets.ts';

export interface PlayOptions {
  script: Script;
  rest: Rest;
  /** By the numbers of the script. */
  tickets: ReadonlyMap<number, Ticket>;
  /** 60: a minute of the script takes a second. */
  speed: number;
  /** Breaks it off: the workshop is ended, or cancelled where it had not begun, and every socket closed. */
  signal: AbortSignal;
  observer?: Partial<Observer>;
}

/** Something was done and answered. Times are of this process, milliseconds since 1970. */
export interface Done {
  act: Act;
  reply: Reply;
  beganAt: number;
  answeredAt: number;
}

export interface Observer {
  /** The workshop is there. */
  scheduled(workshopId: number): void;
  /** Now and then: up to where the script is played, and what the host has seen. */
  progress(atMs: number, seen: Seen): void;
  acted(done: Done): void;
  /** Someone was sent an event, on one of their devices. */
  heard(number: number, device: number, event: LooseEvent): void;
}

export interface Played {
  workshopId: number;
  /** False where it was broken off. */
  complete: boolean;
  /** The highest version that was acknowledged. */
  version: number;
  tookMs: number;
  acts: number;
  /** How long after its time an act began, in milliseconds of the clock. */
  lateness: { medianMs: number; p99Ms: number; maxMs: number };
  /** How often each code was answered where the script meant it to be done. */
  refused: Record<string, number>;
  heldUp: Patience['heldUp'];
  seen: Seen;
}

/** It cannot go on. Everything is closed by then. */
export class PlayFailed extends Error {}

const progressMs = 200;
/** A server that is gone for so long is not waited for any more. */
const cutOffMs = 20_000;
/** How long those who were there to the end may take to hear of it. */
const lastWordMs = 10_000;

export async function play(options: PlayOptions): Promise<Played> {
  const { script, rest, tickets, speed, signal, observer = {} } = options;
  const failing = new AbortController();
  const over = AbortSignal.any([signal, failing.signal]);
  const patient = patience(over);
  const hostSees = watch(tickets.get(host)?.userId ?? 0);
  const late: number[] = [];
  const refused: Record<string, number> = {};
  const began = performance.now();
  let acts = 0;
  let version = 0;

  const performing = performer({
    ...{ rest, tickets, patience: patient },
    schedule: () => ({
      title: script.title,
      scheduledAt: new Date(Date.now() - script.fromMs / speed).toISOString(),
      durationMinutes: script.options.minutes,
    }),
    heard(number, device, event) {
      if (number === host && device === 0) hostSees.see(event);
      observer.heard?.(number, device, event);
    },
  });

  const dueAt = (act: Act) => began + (act.atMs - script.fromMs) / speed;

  async function perform(act: Act): Promise<void> {
    if (over.aborted) return;
    late.push(Math.max(0, performance.now() - dueAt(act)));
    const beganAt = Date.now();
    const reply = await performing.perform(act);
    // What was under way when it was broken off says nothing.
    if (over.aborted) return;
    acts++;
    observer.acted?.({ act, reply, beganAt, answeredAt: Date.now() });
    if (reply.ok) version = Math.max(version, reply.version);
    else if (reply.error.code !== act.refused)
      refused[reply.error.code] = (refused[reply.error.code] ?? 0) + 1;
    if (act.name === 'schedule-workshop' && reply.ok) observer.scheduled?.(performing.workshopId);
    if (!reply.ok && isStatusChange(act))
      throw new PlayFailed(`${act.name} was refused: ${reply.error.message}`);
  }

  const watching = setInterval(() => {
    const atMs = script.fromMs + (performance.now() - began) * speed;
    observer.progress?.(Math.min(atMs, script.untilMs), hostSees.seen());
  }, progressMs);
  const guarding = watchHost(performing, (failure) => failing.abort(failure));

  try {
    await inOrder(script.acts, { dueAt, perform, over, fail: (failure) => failing.abort(failure) });
    if (over.aborted) await performing.breakOff();
    else await heardByAll(performing, () => hostSees.seen().status === 'ended');
  } finally {
    clearInterval(watching);
    clearInterval(guarding);
    await performing.close();
  }
  if (failing.signal.aborted) throw failing.signal.reason;
  return {
    ...{ workshopId: performing.workshopId, complete: !signal.aborted, version, acts },
    tookMs: Math.round(performance.now() - began),
    ...{ lateness: spread(late), refused, heldUp: patient.heldUp, seen: hostSees.seen() },
  };
}

/** Every later act waits for these. */
function isStatusChange({ name }: Act): boolean {
  return name === 'schedule-workshop' || name === 'open-lobby' || name === 'start' || name === 'end';
}

interface Ordering {
  dueAt(act: Act): number;
  perform(act: Act): Promise<void>;
  over: AbortSignal;
  fail(failure: unknown): void;
}

/** Resolves when everything is done, or nothing more is to be done. */
async function inOrder(acts: readonly Act[], { dueAt, perform, over, fail }: Ordering): Promise<void> {
  /** What the last act of each person, and of the workshop's own status, came to. */
  const last = new Map<number, Promise<void>>();
  let gate = Promise.resolve();
  for (const act of acts) {
    const ms = dueAt(act) - performance.now();
    // Even one who is late lets the sockets have their turn.
    if (ms > 0) await sleep(ms, undefined, { signal: over }).catch(() => undefined);
    else await turn();
    if (over.aborted) break;
    const people = [act.by, ...concerned(act)];
    const before = act.name === 'end' ? [...last.values()] : people.map((number) => last.get(number));
    const done = Promise.all([gate, ...before])
      .then(() => perform(act))
      .catch(fail);
    for (const number of people) last.set(number, done);
    if (isStatusChange(act)) gate = done;
  }
  if (over.aborted) return;
  await Promise.race([Promise.all(last.values()), aborted(over)]);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function watchHost(performing: Performer, fail: (failure: PlayFailed) => void): NodeJS.Timeout {
  let since = performance.now();
  return setInterval(() => {
    if (!performing.hostIsCutOff) since = performance.now();
    if (performance.now() - since > cutOffMs) fail(new PlayFailed('the server cannot be reached any more'));
  }, progressMs);
}

async function heardByAll(performing: Performer, hostKnows: () => boolean): Promise<void> {
  const until = performance.now() + lastWordMs;
  while (performance.now() < until && !(hostKnows() && performing.isEmpty)) await sleep(10);
}

function spread(values: readonly number[]): Played['lateness'] {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { medianMs: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
