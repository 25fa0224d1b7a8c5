/** What the handlers of a socket are built on. */
import type { Engine } from '../../engine/engine.ts';
import type { Origins } from '../../identity/origin.ts';
import type { Tokens } from '../../identity/token.ts';
import type { Limits } from '../../limits/limiter.ts';
import type { EventLog } from '../../log/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Absences } from './absence.ts';
import type { Admission } from './admission.ts';
import type { Halls } from './broadcast.ts';
import type { Logger } from './session.ts';

export interface SocketContext {
  engine: Engine;
  log: EventLog;
  tokens: Tokens;
  origins: Origins;
  limits: Limits;
  metrics: Metrics;
  logger: Logger;
  halls: Halls;
  absences: Absences;
  admission: Admission;
}
