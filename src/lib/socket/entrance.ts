/**
 * When those who come into a room are let in. Usually at once: those of one turn of the loop share one state. Where many come
 * together each would be told of all who come after: they wait until no more come, for a second at most, and get one state with
 * everybody in it, some of them in each turn.
 *
 *            many within a moment          no more come, or a second is over       none waits
 *   open ───────────────────────► crowded ──────────────────────────────► clearing ──────────► open
 */

export interface Entrance {
  /** Somebody waits to be let in. */
  entered(): void;
  /** Nobody is to be let in but by `letIn`. */
  isCrowded(): boolean;
  close(): void;
}

/** So many within so many milliseconds are a crowd; so long none comes when it is complete. */
const crowd = 64;
const momentMs = 100;
/** Whoever comes first in a crowd waits no longer, in milliseconds. */
const patienceMs = 1_000;

/** `letIn` lets some in; whether others wait who could be. */
export function entranceOf(letIn: () => boolean): Entrance {
  let state: 'open' | 'opening' | 'crowded' | 'clearing' | 'closed' = 'open';
  let momentBegan = Number.NEGATIVE_INFINITY;
  let came = 0;
  let lastCame = 0;
  let timer: NodeJS.Timeout | undefined;

  function entered(): void {
    lastCame = performance.now();
    if (lastCame - momentBegan > momentMs) {
      momentBegan = lastCame;
      came = 0;
    }
    came++;
    if (state === 'open') {
      state = 'opening';
      setImmediate(open);
    }
    if (came >= crowd && state === 'opening') {
      state = 'crowded';
      awaitMore(lastCame);
    }
  }

  function open(): void {
    if (state !== 'opening') return;
    state = 'open';
    letIn();
  }

  function awaitMore(since: number): void {
    timer = setTimeout(() => {
      const now = performance.now();
      if (now - lastCame < momentMs && now - since < patienceMs) return awaitMore(since);
      state = 'clearing';
      clear();
    }, momentMs / 2);
  }

  function clear(): void {
    if (state !== 'clearing') return;
    if (letIn()) setImmediate(clear);
    else state = 'open';
  }

  return {
    entered,
    isCrowded: () => state === 'crowded' || state === 'clearing',
    close() {
      state = 'closed';
      clearTimeout(timer);
    },
  };
}
