/**
 * Delivering events to webhooks, in the process of a projector: looks through what the tables got, claims places that are due, and
 * sends what is there, event by event. How far a place has got is told in `projections/webhooks/places.ts`.
 *
 * Of one webhook so many workshops are delivered at once, and each webhook gets on with one however many others are slow. Within a workshop the next
 * event goes out after a 2xx for the last. What is told after that and before it is noted comes twice, under one id.
 */
import type { Database } from '../../projections/database/database.ts';
import { storedEvents } from '../../projections/events/queries.ts';
import type { Noting } from '../../projections/notes/notes.ts';
import { areThereWebhooks, endWebhook } from '../../projections/webhooks/hooks.ts';
import {
  type Claim,
  claimPlaces,
  noteDelivered,
  noteFailed,
  noteNothingLeft,
  releasePlace,
  scanFeed,
} from '../../projections/webhooks/places.ts';
import { startOf } from '../../projections/workshops/queries.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import { backoffMs, pause } from '../timing/retry.ts';
import { messageOf } from './message.ts';
import { type Seal, SealBroken, signed } from './secret.ts';
import { answerMs, type Outcome, type Sender } from './send.ts';

export interface DeliveriesOptions {
  noting: Noting & { database: Database };
  seal: Seal;
  sender: Sender;
  /** Who delivers: the name of this process. */
  owner: string;
  onEvent?(event: DeliveryEvent): void;
  /** From the first failure of an event until it is not tried any more, in milliseconds. */
  givesUpAfterMs?: number;
  /** Bounds of the pauses between tries, in milliseconds. */
  pauses?: { first: number; most: number };
}

export type DeliveryEvent =
  | { type: 'delivered'; webhookId: number; workshopId: number; version: number }
  | { type: 'failed'; webhookId: number; workshopId: number; version: number; error: string; waits: boolean }
  | { type: 'ended'; webhookId: number }
  | { type: 'error'; error: unknown };

export interface Deliveries {
  /** The tables got something. */
  wake(): void;
  /** Resolves when nothing is under way any more. What was sent and not answered is sent again by whoever comes next. */
  close(): Promise<void>;
}

/** From one look to the next where nothing wakes, in milliseconds. */
const lookMs = 1_000;
/** And at least, in milliseconds. */
const gapMs = 20;
/** Of many webhooks a look takes longer, and is had less often: a fifth of a connection's time at most. */
const rests = 4;
/** Of all webhooks, where some have more than one; of one. */
const [atOnce, perWebhook] = [128, 8];
/** Events that one claim delivers at most before others have their turn. */
const perClaim = 50;
const page = 20;
/** For how long what was read is sent, in milliseconds: texts may be deleted and people erased while a receiver takes its time. */
const freshMs = 100;
/** Longer than a delivery takes; said again after each. */
const leaseMs = 3 * answerMs;
const threeDaysMs = 3 * 24 * 3_600_000;
const usualPauses = { first: 5_000, most: 3_600_000 };

export function deliveries(options: DeliveriesOptions): Deliveries {
  const { noting, owner, onEvent = () => undefined } = options;
  const { database } = noting;
  const closing = new AbortController();
  const { signal } = closing;
  /** Places under way, by webhook. */
  const underWay = new Map<number, number>();
  const working = new Set<Promise<void>>();
  /** While there is none, what the tables get wakes nobody: a commit costs no look. */
  let areThere = false;
  let isWoken = false;
  let rest = new AbortController();

  const failed = (error: unknown) => {
    if (!signal.aborted) onEvent({ type: 'error', error });
  };

  async function run(): Promise<void> {
    while (!signal.aborted) {
      isWoken = false;
      const began = performance.now();
      const isMore = await look().catch((error: unknown) => {
        failed(error);
        return false;
      });
      if (isMore) continue;
      // What many commits and deliveries wake it for is one look.
      const restMs = Math.min(lookMs, Math.max(gapMs, rests * (performance.now() - began)));
      await pause(restMs, signal).catch(() => undefined);
      if (isWoken) continue;
      rest = new AbortController();
      await pause(lookMs - restMs, AbortSignal.any([signal, rest.signal])).catch(() => undefined);
    }
  }

  /** True where there may be more at once. */
  async function look(): Promise<boolean> {
    areThere = await areThereWebhooks(database);
    if (!areThere) return false;
    const isBehind = await scanFeed(database);
    const limit = atOnce - working.size;
    const claims = await claimPlaces(database, { owner, leaseMs, underWay, perWebhook, limit });
    for (const claim of claims) begin(claim);
    return isBehind;
  }

  function begin(claim: Claim): void {
    const { webhookId } = claim;
    underWay.set(webhookId, (underWay.get(webhookId) ?? 0) + 1);
    const done = deliver(claim, { ...options, signal })
      .catch(failed)
      .finally(() => {
        const left = (underWay.get(webhookId) ?? 1) - 1;
        if (left > 0) underWay.set(webhookId, left);
        else underWay.delete(webhookId);
        working.delete(done);
        wake();
      });
    working.add(done);
  }

  function wake(): void {
    if (!areThere) return;
    isWoken = true;
    rest.abort();
  }

  const running = run();
  return {
    wake,
    async close() {
      closing.abort(new Error('deliveries were closed'));
      await running;
      await Promise.all(working);
    },
  };
}

type Delivering = DeliveriesOptions & { signal: AbortSignal };

/** What a place has to be told, in order, until something fails or others want their turn. */
async function deliver(claim: Claim, delivering: Delivering): Promise<void> {
  const { noting, owner, signal, onEvent } = delivering;
  const { database } = noting;
  const { webhookId, workshopId, target, types } = claim;
  const mine = { webhookId, workshopId, owner };
  let { delivered, attempts } = claim;
  const stored = storedEvents(database);
  for (let sent = 0; sent < perClaim && delivered < target; ) {
    const readAt = performance.now();
    // Not beyond the target: what lies there was not looked through yet, and would be told again when it is.
    const events = await stored.read(workshopId, delivered, Math.min(page, target - delivered));
    if (events.length === 0) return noteNothingLeft(database, mine, { delivered, target });
    const startedAt = await startOf(database, workshopId);
    for (const event of events) {
      const isWanted = types === null || types.includes(event.type);
      if (isWanted) {
        const outcome = await told(claim, event, startedAt, delivering);
        if (signal.aborted) return releasePlace(database, mine);
        if (!outcome.ok) return notTaken({ ...claim, attempts }, event, outcome, delivering);
        sent++;
      } else if (event !== events.at(-1)) continue;
      // What is not for this webhook is noted with what follows on it, or with the page.
      if (!(await noteDelivered(database, mine, { from: delivered, to: event.version, leaseMs })))
        return releasePlace(database, mine);
      delivered = event.version;
      attempts = 0;
      if (isWanted) onEvent?.({ type: 'delivered', webhookId, workshopId, version: delivered });
      if (sent === perClaim || performance.now() - readAt > freshMs) break;
    }
  }
  await releasePlace(database, mine);
}

async function told(
  { url, workshopId, sealedSecret }: Claim,
  event: RecordedEvent,
  startedAt: number | null,
  { seal, sender, signal }: Delivering,
): Promise<Outcome> {
  try {
    const body = messageOf(workshopId, event, startedAt);
    const headers = signed(seal.open(sealedSecret), { id: event.eventId, at: Date.now(), body });
    return await sender.send({ url, headers, body }, signal);
  } catch (error) {
    if (error instanceof SealBroken) return { ok: false, status: null, error: error.message };
    throw error;
  }
}

const gone = 410;

async function notTaken(
  { webhookId, workshopId, attempts }: Claim,
  { version }: RecordedEvent,
  { status, error }: Extract<Outcome, { ok: false }>,
  { noting, owner, onEvent, ...settings }: Delivering,
): Promise<void> {
  const { givesUpAfterMs = threeDaysMs, pauses = usualPauses } = settings;
  if (status === gone) {
    await endWebhook(noting, webhookId, 'its receiver answered 410: it wants no more');
    onEvent?.({ type: 'ended', webhookId });
  }
  const againMs = Math.round(backoffMs(attempts + 1, pauses));
  const waits = await noteFailed(
    noting.database,
    { webhookId, workshopId, owner },
    { error, againMs, givesUpAfterMs },
  );
  onEvent?.({ type: 'failed', webhookId, workshopId, version, error, waits });
}
