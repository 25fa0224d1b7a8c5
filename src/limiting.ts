/** Opens the limits that the configuration asks for, and tells of what they refuse: each in the metrics, together in the log. */
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { type AdmissionSettings, admissionSettings } from './lib/socket/admission.ts';
import { type Limits, rateLimits } from './limits/limiter.ts';
import { redisStore } from './limits/shared.ts';
import { connect } from './log/redis/connect.ts';
import type { Metrics } from './observe/metrics.ts';
import { redisAddress } from './stores.ts';

export interface Limiting {
  limits: Limits;
  /** A load test without limits is made to wait, and never sent away. */
  admission: AdmissionSettings;
  close(): void;
}

/** However much is refused, one line in so many milliseconds tells of it. */
const lineMs = 10_000;

export async function openLimits(config: Config, metrics: Metrics, logger: Logger): Promise<Limiting> {
  const scale = config.RATE_LIMIT_SCALE;
  const address = redisAddress(config);
  const redis =
    address === undefined || scale === 0
      ? undefined
      : await connect(address, 'limits', (error) => logger.debug({ err: error }, 'the limits lost Redis'));
  const refusals = new Map<string, number>();
  let line: NodeJS.Timeout | undefined;

  function tell(): void {
    line = undefined;
    logger.info({ refused: Object.fromEntries(refusals) }, 'rate limits refused what came too fast');
    refusals.clear();
  }

  /** Once for an outage: the log, which needs Redis more, tells of it again and again. */
  function failed(error: unknown): void {
    metrics.faults.inc({ place: 'limits' });
    logger.warn({ err: error }, 'limits are not shared by the nodes for now: each counts alone');
  }

  return {
    limits: rateLimits({
      scale,
      store: redis === undefined ? undefined : redisStore(redis, failed),
      refused(kind, layer) {
        metrics.rateLimited.inc({ kind, layer });
        const name = `${kind} by ${layer}`;
        refusals.set(name, (refusals.get(name) ?? 0) + 1);
        line ??= setTimeout(tell, lineMs);
      },
    }),
    admission:
      scale === 0 ? { ...admissionSettings, patienceMs: Number.POSITIVE_INFINITY } : admissionSettings,
    close() {
      clearTimeout(line);
      redis?.disconnect();
    },
  };
}
