/** How a process that serves ends: once gracefully when it is told to, at once by the second signal or by what nobody caught. */
import type { Logger } from 'pino';
import { onSignal } from './signals.ts';

/** Supervisors kill after 30 s by custom; being done earlier is better than being killed. */
const patienceMs = 25_000;

/** Resolves when the process was told to end and `close` is done. */
export async function untilShutdown(logger: Logger, close: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    let told = false;
    onSignal((signal) => {
      if (told) process.exit(1);
      told = true;
      setTimeout(() => {
        logger.error('closing took too long');
        process.exit(1);
      }, patienceMs).unref();
      logger.info({ signal }, 'closing');
      resolve();
    });
  });
  await close();
  process.exit(0);
}

/**
 * A promise that failed with nobody waiting concerns what had begun it, and nothing else. What was thrown out of a callback
 * may have left anything half done: one line, and the process ends, so that a supervisor starts it anew.
 */
export function handleUncaught(logger: Logger): void {
  process.on('unhandledRejection', (error) => {
    logger.error({ err: error }, 'something failed that nobody waited for');
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'something was thrown that nobody caught');
    process.exit(1);
  });
}
