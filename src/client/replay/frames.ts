/** Calls with the milliseconds since the call before, as often as the page is drawn – or the sixty times a second that Node has no page for. */
export function frames(drawn: (ms: number) => void): { start(): void; stop(): void } {
  let last: number | undefined;
  let handle: number | ReturnType<typeof setTimeout> | undefined;
  const isPage = typeof requestAnimationFrame === 'function';

  function next(): void {
    handle = isPage ? requestAnimationFrame(draw) : setTimeout(draw, 16);
  }

  function draw(): void {
    const now = performance.now();
    const ms = Math.min(now - (last ?? now), longestMs);
    last = now;
    next();
    drawn(ms);
  }

  return {
    start() {
      if (handle !== undefined) return;
      last = performance.now();
      next();
    },
    stop() {
      if (handle === undefined) return;
      if (isPage) cancelAnimationFrame(handle as number);
      else clearTimeout(handle);
      handle = undefined;
    },
  };
}

/** A page that was hidden goes on where it was, instead of leaping over what it missed. */
const longestMs = 250;
