/** The keys of the timeline, as players have them: they count wherever nothing is typed or pressed. */
import { useEffect } from 'react';
import { replaySpeeds, type WorkshopReplay } from '../../src/hooks/useWorkshopReplay.ts';

/** Of the keys and the buttons. */
export const leapMs = 10_000;

export function useKeys(replay: WorkshopReplay): void {
  const { playing, offsetMs, speed, play, pause, seek, step, setSpeed } = replay;
  useEffect(() => {
    const keys: Record<string, () => void> = {
      ' ': playing ? pause : play,
      k: playing ? pause : play,
      j: () => seek(offsetMs - leapMs),
      l: () => seek(offsetMs + leapMs),
      ',': () => step(-1),
      '.': () => step(1),
      '<': () => setSpeed(neighbour(speed, -1)),
      '>': () => setSpeed(neighbour(speed, 1)),
    };
    const pressed = (event: KeyboardEvent) => {
      const act = keys[event.key.toLowerCase()];
      if (act === undefined || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [playing, offsetMs, speed, play, pause, seek, step, setSpeed]);
}

/** Whether what has the focus does something with the key itself. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('select, textarea, input:not([type=range])') !== null) return true;
  return key === ' ' && target.closest('button, summary, a, input, [tabindex]') !== null;
}

function neighbour(speed: number, by: number): number {
  const index = replaySpeeds.indexOf(speed);
  return replaySpeeds[Math.min(Math.max(0, index + by), replaySpeeds.length - 1)] ?? 1;
}
