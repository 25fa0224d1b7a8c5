/** What nobody caught. A serving process tells of it and goes on where that is safe: its sockets are other people's. */
import type { Logger } from 'pino';

/**
 * A promise that failed with nobody waiting concerns what had begun it, and nothing else. What was thrown out of a callback
 * may have left anything half done: one line, and the process ends, so that a supervisor starts it anew.
 */
export function surviveMishaps(logger: Logger): void {
  process.on('unhandledRejection', (error) => {
    logger.error({ err: error }, 'something failed that nobody waited for');
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'something was thrown that nobody caught');
    process.exit(1);
  });
}
