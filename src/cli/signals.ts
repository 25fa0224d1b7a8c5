/**
 * The signals by which a process is told to end. `npm start` and `npx workshop` put a shell between, which does not pass them on
 * and is simply gone: that counts as SIGTERM, once, unless a signal came by itself, as at Ctrl+C, where everyone gets it.
 */
type Hear = (signal: NodeJS.Signals) => void;

/** How often it is looked whether the parent is still there, in milliseconds. */
const lookEveryMs = 250;
let wasHeard = false;

/** Each SIGTERM and SIGINT from now on. Answers with what stops that. */
export function onSignal(hear: Hear): () => void {
  const listener: Hear = (signal) => {
    wasHeard = true;
    hear(signal);
  };
  process.on('SIGTERM', listener).on('SIGINT', listener);
  return () => void process.off('SIGTERM', listener).off('SIGINT', listener);
}

/** Resolves with the first one; what a second one does is the system's matter. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const forget = onSignal((signal) => {
      forget();
      resolve(signal);
    });
  });
}

/**
 * Whoever listens hears when the parent is gone; where nobody does, the process ends. One that a script left in the background has
 * another parent already.
 */
export function endWithParent(pid: number): void {
  const looking = setInterval(() => {
    if (isParent(pid)) return;
    clearInterval(looking);
    if (!wasHeard) process.kill(process.pid, 'SIGTERM');
  }, lookEveryMs).unref();
}

function isParent(pid: number): boolean {
  if (process.ppid !== pid) return false;
  try {
    // Windows gives orphans no other parent.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
