/**
 * A workshop played again for React, with the shapes of the live hooks: what shows a room shows a past one too. For host, co-hosts,
 * analysts and admins, whom the server lets read the history.
 */
import { useEffect, useMemo, useRef, useState } from 'react';
import {
  type Replay,
  type ReplayOptions,
  type ReplaySnapshot,
  unknownReplay,
  type WireError,
  workshopReplay,
} from '../client/workshopClient.ts';
import { type ChatMessage, messageOf } from './useWorkshopChat.ts';
import { type AttendeeInfo, useStore, useWorkshopState, type WorkshopState } from './useWorkshopSocket.ts';

export { replaySpeeds } from '../client/workshopClient.ts';

/** `offsetMs` and `now` count when the replay begins; another `url` or `token` begins another one. */
export type WorkshopReplayOptions = ReplayOptions;

type Controls = Pick<Replay, 'play' | 'pause' | 'seekVersion' | 'step' | 'setSpeed' | 'setSkipsIdle'>;

export interface WorkshopReplay extends Controls {
  /** `waiting`: what is shown is of another moment, until what was asked for has come; `failed`: `error` says why. */
  phase: ReplaySnapshot['phase'];
  error: WireError | null;
  /** The room as it was, in the shapes of `useWorkshopSocket` and `useWorkshopChat`; everyone present is listed. */
  workshopState: WorkshopState | null;
  attendees: AttendeeInfo[];
  attendeeCount: number;
  raisedHands: number[];
  /** The last fifty at the moment that was leapt to, and everything since, oldest first. */
  messages: ChatMessage[];
  /** Of the event that was last. */
  version: number;
  lastVersion: number;
  /** The moment, in milliseconds since the workshop went live; below 0 before. */
  offsetMs: number;
  /** How long it was live, in milliseconds; of a workshop that goes on, so far. null where it has not gone live. */
  durationMs: number | null;
  /** Whether it goes on. */
  isOpen: boolean;
  playing: boolean;
  /** Times as fast. */
  speed: number;
  /** Whether playing leaps over stretches in which nothing happens. */
  skipsIdle: boolean;
  /** In milliseconds since the workshop went live. */
  seek(offsetMs: number): void;
}

const nobody: AttendeeInfo[] = [];
const noHands: number[] = [];

export function useWorkshopReplay(
  workshopId: number | null,
  options: WorkshopReplayOptions = {},
): WorkshopReplay {
  const replay = useReplay(workshopId, options);
  const { view, at, startedAt, until, ...rest } = useStore(replay, unknownReplay);
  const workshopState = useWorkshopState(view);
  const lines = view?.chat;
  const messages = useMemo(() => lines?.map(messageOf) ?? [], [lines]);
  const controls = useMemo(() => controlsOf(replay), [replay]);
  return {
    ...{ phase: rest.phase, error: rest.error, workshopState, messages },
    attendees: view?.attendees ?? nobody,
    attendeeCount: view?.attendeeCount ?? 0,
    raisedHands: view?.raisedHands ?? noHands,
    ...{ version: view?.version ?? 0, lastVersion: rest.lastVersion, isOpen: rest.isOpen },
    offsetMs: startedAt === null ? 0 : at - startedAt,
    durationMs: startedAt === null ? null : until - startedAt,
    ...{ playing: rest.playing, speed: rest.speed, skipsIdle: rest.skipsIdle },
    ...controls,
  };
}

/** One replay for as long as the component is mounted and the workshop stays. */
function useReplay(workshopId: number | null, options: WorkshopReplayOptions): Replay | null {
  const { url, token } = options;
  const [replay, setReplay] = useState<Replay | null>(null);
  const first = useRef(options);
  useEffect(() => {
    if (workshopId === null) return;
    const made = workshopReplay(workshopId, { ...first.current, url, token });
    setReplay(made);
    made.open();
    return () => {
      setReplay(null);
      made.close();
    };
  }, [workshopId, url, token]);
  return replay;
}

function controlsOf(replay: Replay | null): Controls & Pick<WorkshopReplay, 'seek'> {
  return {
    play: () => replay?.play(),
    pause: () => replay?.pause(),
    seek: (offsetMs) => replay?.seek((replay.snapshot().startedAt ?? 0) + offsetMs),
    seekVersion: (version) => replay?.seekVersion(version),
    step: (events) => replay?.step(events),
    setSpeed: (speed) => replay?.setSpeed(speed),
    setSkipsIdle: (skipsIdle) => replay?.setSkipsIdle(skipsIdle),
  };
}
