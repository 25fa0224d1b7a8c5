/**
 * Sockets and an engine on a log of the test's own, as a node puts them together, without REST and a database: a test can wrap the
 * log, and so choose the moment at which something happens.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { type Engine, workshopEngine } from '../../src/engine/engine.ts';
import { addresses } from '../../src/identity/address.ts';
import { callersByToken } from '../../src/identity/callers.ts';
import { origins } from '../../src/identity/origin.ts';
import { tokens } from '../../src/identity/token.ts';
import { admissionSettings } from '../../src/lib/socket/admission.ts';
import { workshopSockets } from '../../src/lib/socket/index.ts';
import { readerSettings } from '../../src/lib/socket/readers.ts';
import { rateLimits } from '../../src/limits/limiter.ts';
import type { EventLog } from '../../src/log/log.ts';
import { metrics } from '../../src/observe/metrics.ts';
import { type Guest, guestOn, secret, token } from './server.ts';
import { until } from './until.ts';

export interface GatewayOptions {
  /** Stays the test's: it is not closed with the gateway. */
  log: EventLog;
  graceMs?: number;
  leaseMs?: number;
  /** How long a room without sockets is kept. */
  idleMs?: number;
  /** What rooms may weigh before empty ones go earlier, and how often that is looked at. */
  roomBytes?: number;
  sweepMs?: number;
}

export interface Gateway {
  readonly log: EventLog;
  readonly engine: Engine;
  /** How many rooms it follows. */
  rooms(): Promise<number>;
  /** A socket of that user, connected. */
  connect(user: number): Promise<Guest>;
  close(): Promise<void>;
}

export async function gateway(options: GatewayOptions): Promise<Gateway> {
  const { log, graceMs = 300, leaseMs = 2_000, idleMs, roomBytes, sweepMs } = options;
  const node = 'gateway';
  const http = createServer();
  const measured = metrics();
  const known = origins({ allowed: [] });
  const engine = workshopEngine({ log, node });
  const sockets = workshopSockets({
    ...{ http, engine, log, node, metrics: measured, tracing: undefined },
    ...{ logger: pino({ level: 'fatal' }), corsOrigins: [] },
    ...{ callers: callersByToken(tokens({ secret, guests: false }), known), origins: known },
    addresses: addresses(),
    ...{ limits: rateLimits({ scale: 0 }), admission: admissionSettings, readers: readerSettings },
    presence: { graceMs, leaseMs },
    timers: { lobbyOpensMinutes: 15, maxLiveHours: 12, hostAbsentMinutes: 30 },
    ...(idleMs !== undefined && { idleMs }),
    ...(roomBytes !== undefined && { roomBytes }),
    ...(sweepMs !== undefined && { sweepMs }),
  });
  await sockets.ready;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const guests: Guest[] = [];
  return {
    log,
    engine,
    rooms: async () => (await measured.rooms.get()).values[0]?.value ?? 0,
    async connect(user) {
      const guest = guestOn(url, user, { token: await token({ id: user }) });
      guests.push(guest);
      await until(() => guest.socket.connected, { what: `user ${user} to be connected` });
      return guest;
    },
    async close() {
      for (const guest of guests) guest.close();
      await sockets.close();
      await engine.close();
    },
  };
}
