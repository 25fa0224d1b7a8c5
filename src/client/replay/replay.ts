/**
 * A workshop played again: at any moment the room as it was, from the history routes and by the fold that live rooms are followed by.
 * It plays, steps from event to event, leaps to wherever one wants, and follows a workshop that goes on.
 *
 * ```
 *   seek ──► a chapter has it ────────────────────────────► shown at once
 *        └─► none has: `GET …/state?at=` ──► shown ──► its chapter and the next one are fetched, so that playing goes on from there
 * ```
 */
import type { WireError } from '../reply.ts';
import { isOver, type RoomView } from '../roomView.ts';
import { type Chapter, chapterOf, eventAt, versionAt, viewAt } from './chapter.ts';
import { frames } from './frames.ts';
import { workshopPast } from './past.ts';
import { persist } from './persist.ts';
import { NotAnswered, type RestOptions, restAsk } from './rest.ts';

export const replaySpeeds: readonly number[] = [1, 2, 4, 8, 16];

export interface ReplayOptions extends RestOptions {
  /** Where to begin, in milliseconds since the workshop went live; there if left out. */
  offsetMs?: number | undefined;
  /** The server's time, in milliseconds since 1970, where one knows it better than by the device's own clock. */
  now?: (() => number) | undefined;
}

export interface ReplaySnapshot {
  /** `waiting`: what is shown is of another moment, until what was asked for has come. */
  readonly phase: 'loading' | 'ready' | 'waiting' | 'failed';
  /** With `failed` for good; else why it takes long. */
  readonly error: WireError | null;
  /** The room as it was. null until something is known. */
  readonly view: RoomView | null;
  /** The moment that was asked for or is played, in milliseconds since 1970. 0 until the workshop is known. */
  readonly at: number;
  /** When it went live; null where it has not yet. */
  readonly startedAt: number | null;
  /** Its end, or a moment ago while it goes on. */
  readonly until: number;
  /** Whether it goes on. */
  readonly isOpen: boolean;
  readonly lastVersion: number;
  readonly playing: boolean;
  readonly speed: number;
  /** Whether playing leaps over stretches in which nothing happens. */
  readonly skipsIdle: boolean;
}

export const unknownReplay: ReplaySnapshot = {
  ...{ phase: 'loading', error: null, view: null, at: 0, startedAt: null, until: 0, isOpen: false },
  ...{ lastVersion: 0, playing: false, speed: 1, skipsIdle: false },
};

export interface Replay {
  snapshot(): ReplaySnapshot;
  subscribe(listener: () => void): () => void;
  /** Begins to ask. Does nothing where it has. */
  open(): void;
  close(): void;
  /** From its beginning where it is at its end. */
  play(): void;
  pause(): void;
  /** To a moment, in milliseconds since 1970; what is outside of the live time becomes its nearest end. */
  seek(at: number): void;
  /** To the moment right after a version. */
  seekVersion(version: number): void;
  /** So many events on, or back where it is negative; also to before the workshop went live. Pauses. */
  step(events: number): void;
  setSpeed(speed: number): void;
  setSkipsIdle(skipsIdle: boolean): void;
}

/** How often one asks for what came since, in milliseconds: also where it is over, since messages are still deleted. */
const lookMs = { open: 2_000, over: 30_000 };
/** A workshop that goes on is played so far behind that its events are here by then. */
const behindMs = 3_000;
/** After so long one stays where one has leapt to. */
const settledMs = 200;
/** From so long on nothing happening is idle; a moment of it stays, before the next event. */
const idleMs = 5_000;
const idleLeftMs = 700;

/** A moment, a version, or the chapter that playing goes on in. */
type Sought = { at: number } | { version: number } | { chapter: number };

export function workshopReplay(workshopId: number, options: ReplayOptions = {}): Replay {
  const { now = Date.now } = options;
  const past = workshopPast(workshopId, restAsk(options));
  const listeners = new Set<() => void>();
  const pictures = frames(advance);
  let snapshot = unknownReplay;
  let life: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;
  /** What is waited for. Whatever else is asked for takes its place. */
  let sought: Sought | null = null;
  let isAsking = false;
  /** The chapter for which the next ones were fetched. */
  let prepared = -1;

  function change(changes: Partial<ReplaySnapshot>): void {
    snapshot = { ...snapshot, ...changes };
    if (snapshot.playing && snapshot.phase !== 'failed') pictures.start();
    else pictures.stop();
    for (const listener of [...listeners]) listener();
  }

  function show(view: RoomView, at: number): void {
    change({ ...whole(), phase: 'ready', error: null, view: past.asSeenNow(view), at });
    prepare(view.version);
  }

  /** What the newest room says of the whole. */
  function whole() {
    const { newest } = past;
    if (newest === null) return {};
    const startedAt = newest.startedAt === null ? null : Date.parse(newest.startedAt);
    const end = newest.endedAt === null ? now() - behindMs : Date.parse(newest.endedAt);
    const until = Math.max(end, startedAt ?? 0);
    return { isOpen: !isOver(newest), startedAt, until, lastVersion: newest.version };
  }

  function fail(error: unknown): void {
    // A mistake of ours: it is seen, and not taken for an answer.
    if (!(error instanceof NotAnswered)) throw error;
    change({ phase: 'failed', error: error.refusal, playing: false });
  }

  /** What came since is noted, now and from then on. */
  async function follow(): Promise<void> {
    const { signal } = life ?? {};
    if (signal === undefined) return;
    const isFirst = past.newest === null;
    const news = await persist(past.follow, { signal, onDelay: (error) => change({ error }) });
    if (news === undefined || past.newest === null) return;
    const { startedAt: knownStart, view, at, phase } = snapshot;
    change(whole());
    const { startedAt } = snapshot;
    if (startedAt === null) show(past.newest, now());
    else if (knownStart === null) seek(startedAt + (isFirst ? (options.offsetMs ?? 0) : 0));
    else if (news && view !== null && phase === 'ready') show(view, at);
    timer = setTimeout(() => void follow().catch(fail), snapshot.isOpen ? lookMs.open : lookMs.over);
  }

  function seek(wanted: number): void {
    const { startedAt, until, phase } = snapshot;
    if (startedAt === null || phase === 'failed') return;
    const at = Math.min(Math.max(wanted, startedAt), until);
    const chapter = past.around(at);
    if (chapter === undefined) wait({ at });
    else {
      sought = null;
      show(viewAt(chapter, Math.max(1, versionAt(chapter, at)), snapshot.view), at);
    }
  }

  function seekVersion(wanted: number): void {
    const { lastVersion, phase } = snapshot;
    if (lastVersion === 0 || phase === 'failed') return;
    const version = Math.min(Math.max(1, wanted), lastVersion);
    const chapter = past.holding(version);
    if (chapter === undefined) wait({ version });
    else showVersion(chapter, version);
  }

  function showVersion(chapter: Chapter, version: number): void {
    sought = null;
    const event = eventAt(chapter, version);
    if (event !== undefined) show(viewAt(chapter, version, snapshot.view), event.ms);
  }

  function wait(what: Sought): void {
    sought = what;
    change({ phase: 'waiting', ...('at' in what && { at: what.at }) });
    if (!isAsking) void fetchSought().catch(fail);
  }

  /** One question at a time: a slider that is dragged asks for a hundred moments, of which the last one counts. */
  async function fetchSought(): Promise<void> {
    isAsking = true;
    try {
      while (sought !== null && life !== undefined) {
        const asked = sought;
        const rest = {
          signal: life.signal,
          isWanted: () => asked === sought,
          onDelay: (error: WireError) => change({ error }),
        };
        if ('at' in asked) {
          const view = await persist((signal) => past.stateAt(asked.at, signal), rest);
          if (view === undefined) continue;
          if (asked === sought) {
            sought = null;
            show(view, asked.at);
            // On the way to another moment this one is nearer than the one before.
          } else if (sought !== null) change({ view: past.asSeenNow(view) });
        } else {
          const index = 'version' in asked ? chapterOf(asked.version) : asked.chapter;
          const chapter = await persist((signal) => past.chapter(index, signal), rest);
          if (chapter === undefined || asked !== sought) continue;
          sought = null;
          if ('version' in asked) showVersion(chapter, asked.version);
          else change({ phase: 'ready', error: null });
        }
      }
    } finally {
      isAsking = false;
    }
  }

  /** What playing on needs is fetched once one stays: whoever leaps about is not kept waiting for it. */
  function prepare(version: number): void {
    const chapter = chapterOf(version + 1);
    if (life === undefined || chapter === prepared) return;
    const { signal } = life;
    const { playing, speed } = snapshot;
    prepared = chapter;
    clearTimeout(settling);
    settling = setTimeout(
      () => {
        past.prepare(version, playing && speed > 4 ? 2 : 1, signal).catch(() => {
          // Whoever needs it asks again, and is told why it is not there.
          prepared = -1;
        });
      },
      playing ? 0 : settledMs,
    );
  }

  /** One picture further. */
  function advance(ms: number): void {
    const { view, phase, speed, startedAt, skipsIdle } = snapshot;
    if (startedAt === null || view === null || phase !== 'ready') return;
    const { until = 0, isOpen } = whole();
    let at = Math.min(Math.max(snapshot.at, startedAt) + ms * speed, until);
    const nextMs = Math.min(past.event(view.version + 1)?.ms ?? until, until);
    if (skipsIdle && nextMs - at > idleMs) at = nextMs - idleLeftMs;
    const played = playedTo(at, view);
    show(played, at);
    const next = played.version + 1;
    // Stands still until the event that comes next is there.
    if (next <= past.lastVersion && past.holding(next) === undefined) wait({ chapter: chapterOf(next) });
    else if (at >= until && !isOpen) pause();
  }

  /** The room at that time, as far as its events are here. */
  function playedTo(at: number, view: RoomView): RoomView {
    let played = view;
    for (;;) {
      const chapter = past.holding(played.version + 1);
      const version = chapter === undefined ? 0 : versionAt(chapter, at);
      if (chapter === undefined || version <= played.version) return played;
      played = viewAt(chapter, version, played);
    }
  }

  function pause(): void {
    if (snapshot.playing) change({ playing: false });
  }

  return {
    snapshot: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    open() {
      if (life !== undefined) return;
      life = new AbortController();
      if (snapshot.phase === 'failed') change({ phase: 'loading', error: null });
      void follow().catch(fail);
      if (sought !== null && !isAsking) void fetchSought().catch(fail);
    },
    close() {
      life?.abort(new Error('the replay was closed'));
      life = undefined;
      prepared = -1;
      clearTimeout(timer);
      clearTimeout(settling);
      pictures.stop();
    },
    play() {
      const { startedAt, until, isOpen, at } = snapshot;
      if (startedAt === null) return;
      if (at >= until && !isOpen) seek(startedAt);
      change({ playing: true });
    },
    pause,
    seek,
    seekVersion,
    step(events) {
      pause();
      if (snapshot.view !== null) seekVersion(snapshot.view.version + events);
    },
    setSpeed: (speed) => change({ speed }),
    setSkipsIdle: (skipsIdle) => change({ skipsIdle }),
  };
}
