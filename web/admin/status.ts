/** What operators read and do, as the routes of admins have it. */
import { call, type Page } from '../shared/api.ts';

export interface NodeStatus {
  node: string;
  role: string;
  rooms: number;
  sockets: number;
  upSeconds: number;
  draining: boolean;
  version?: string;
  slowClients?: number;
  archived?: number;
}

export interface Parked {
  workshopId: number;
  projection: string;
  version: number;
  reason: string;
  attempts: number;
  parkedAt: string;
}

export interface Skipped {
  workshopId: number;
  version: number;
  reason: string;
  skippedBy: string;
  skippedAt: string;
}

export interface Partition {
  partition: number;
  position: number;
  owner: string | null;
  rebuildRequested: boolean;
  rebuilt: { done: number; total: number } | null;
  updatedAt: string;
}

export interface Status {
  nodes: NodeStatus[];
  rooms: number;
  /** null while the database is away. */
  projections: { lag: number; parked: Parked[]; skipped: Skipped[]; partitions: Partition[] } | null;
}

export interface Webhook {
  id: number;
  url: string;
  description: string | null;
  active: boolean;
  /** Where its receiver ended it. */
  endedBecause: string | null;
  troubled: {
    workshopId: number;
    fromVersion: number;
    attempts: number;
    /** It is not tried any more until it is resumed. */
    waits: boolean;
    nextTryAt: string | null;
    lastError: string | null;
  }[];
}

export interface Erasure {
  left: number;
  workshops: number;
  messages: number;
}

export const operators = {
  status: () => call<Status>('GET', '/api/admin/status'),
  retry: (workshopId: number) => call<{ parked: boolean }>('POST', `/api/admin/parked/${workshopId}/retry`),
  skip: (workshopId: number, version: number) =>
    call<{ parked: boolean }>('POST', `/api/admin/parked/${workshopId}/skip`, { version }),
  rebuild: () => call<unknown>('POST', '/api/admin/projections/rebuild'),
  webhooks: () => call<Page<Webhook>>('GET', '/api/admin/webhooks'),
  testWebhook: (id: number) =>
    call<{ ok: boolean; status: number | null; error?: string }>('POST', `/api/admin/webhooks/${id}/test`),
  turnWebhook: (id: number, active: boolean) =>
    call<unknown>('PATCH', `/api/admin/webhooks/${id}`, { active }),
  resumeWebhook: (id: number, workshopId: number) =>
    call<unknown>('POST', `/api/admin/webhooks/${id}/resume`, { workshopId }),
  erasure: (userId: string) => call<Erasure>('GET', `/api/admin/erasures/${encodeURIComponent(userId)}`),
  erase: (userId: string) => call<Erasure>('POST', `/api/admin/erasures/${encodeURIComponent(userId)}`),
};

/** So many events behind are no burst any more. */
const lagWorthSaying = 1_000;

/** What needs somebody, as keys of the words' `advice` with what belongs in them. */
export function findings({ nodes, projections }: Status) {
  const slow = nodes.reduce((sum, { slowClients = 0 }) => sum + slowClients, 0);
  const versions = new Set(nodes.map(({ version }) => version));
  const ownerless = projections?.partitions.filter(({ owner }) => owner === null).length ?? 0;
  return {
    databaseAway: projections === null,
    parked: projections?.parked.length ?? 0,
    behind: (projections?.lag ?? 0) >= lagWorthSaying ? (projections?.lag ?? 0) : 0,
    noOwner: ownerless,
    draining: nodes.filter(({ draining }) => draining).map(({ node }) => node),
    slow,
    versions: versions.size > 1,
  };
}
