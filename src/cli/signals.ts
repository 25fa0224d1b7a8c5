/** Ending a process that serves: once gracefully, and at the second signal or after a while at once. */
import type { Logger } from 'pino';

/** Supervisors kill after 30 s by custom; being done earlier is better than being killed. */
const patienceMs = 25_000;

/** Resolves when the process was told to end and `close` is done. */
export async function untilTold(logger: Logger, close: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const told = (signal: NodeJS.Signals) => {
      process.off('SIGTERM', told).off('SIGINT', told);
      const atOnce = (): never => process.exit(1);
      process.once('SIGTERM', atOnce).once('SIGINT', atOnce);
      setTimeout(() => {
        logger.error('closing took too long');
        process.exit(1);
      }, patienceMs).unref();
      logger.info({ signal }, 'closing');
      resolve();
    };
    process.on('SIGTERM', told).on('SIGINT', told);
  });
  await close();
  process.exit(0);
}
