/** What the process tells Prometheus at `/metrics`. Every name is listed in `docs/reference/metrics.md`. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function metrics() {
  const registry = new Registry();
  const registers = [registry];
  // Brings event-loop delay (nodejs_eventloop_lag_*), memory and garbage collection.
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    appendedEvents: new Counter({
      registers,
      name: 'workshop_appended_events_total',
      help: 'Events appended by this node',
    }),
    appends: new Histogram({
      registers,
      name: 'workshop_append_seconds',
      help: 'From handing an append to the log to its answer',
      buckets: seconds,
    }),
    conflicts: new Counter({
      registers,
      name: 'workshop_append_conflicts_total',
      help: 'Appends decided again after a conflict',
    }),
    refusals: new Counter({
      registers,
      name: 'workshop_refusals_total',
      help: 'Commands not done, by code',
      labelNames: ['code'],
    }),
    rateLimited: new Counter({
      registers,
      name: 'workshop_rate_limited_total',
      help: 'Refused by a rate limit, by what was counted and on whose account (`node`: too many joins at once)',
      labelNames: ['kind', 'layer'],
    }),
    slowConsumers: new Counter({
      registers,
      name: 'workshop_slow_consumers_total',
      help: 'Sockets closed because they did not read',
    }),
    faults: new Counter({
      registers,
      name: 'workshop_faults_total',
      help: 'Unexpected failures, by place',
      labelNames: ['place'],
    }),
    sockets: new Gauge({ registers, name: 'workshop_sockets', help: 'Sockets connected to this node' }),
    rooms: new Gauge({ registers, name: 'workshop_rooms', help: 'Rooms with sockets on this node' }),
    fanOut: new Histogram({
      registers,
      name: 'workshop_fan_out_seconds',
      help: 'From the time of an append to handing its events to the sockets of this node',
      buckets: seconds,
    }),
    resumes: new Counter({
      registers,
      name: 'workshop_resumes_total',
      help: 'Joins with `after`, by whether what was missed could be sent',
      labelNames: ['result'],
    }),
    projectedEvents: new Counter({
      registers,
      name: 'workshop_projected_events_total',
      help: 'Events folded into the database',
    }),
    archived: new Counter({
      registers,
      name: 'workshop_archived_total',
      help: 'Workshops archived by this projector',
    }),
    projectorLag: new Gauge({
      registers,
      name: 'workshop_projector_lag_seconds',
      help: 'Since the oldest event was appended that this projector has read and not yet written',
    }),
    projectorLagEvents: new Gauge({
      registers,
      name: 'workshop_projector_lag_events',
      help: "Events of this projector's partitions that the log holds and the tables do not; counted every 10 s while both answer",
    }),
    webhookDeliveries: new Counter({
      registers,
      name: 'workshop_webhook_deliveries_total',
      help: 'Deliveries to webhooks by this projector, by what came of them (`delivered`, `failed`)',
      labelNames: ['result'],
    }),
    webhookPlaces: new Gauge({
      registers,
      name: 'workshop_webhook_places',
      help: 'Workshops of webhooks whose deliveries fail (`failing`) or are to be resumed (`waiting`); every projector tells of all',
      labelNames: ['state'],
    }),
    parked: new Gauge({
      registers,
      name: 'workshop_parked_workshops',
      help: 'Workshops whose projection waits for an operator; every projector tells of all',
    }),
  };
}

export type Metrics = ReturnType<typeof metrics>;
