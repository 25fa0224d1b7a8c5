/** Webhooks as operators make, try and look after them. */
import type { Page, PageRequest } from '../../projections/database/page.ts';
import type { Noting } from '../../projections/notes/notes.ts';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listWebhooks,
  sealedSecretOf,
  type Waiting,
  type Webhook,
  type WebhookPlan,
  webhookOf,
} from '../../projections/webhooks/hooks.ts';
import { resumePlace, troubledPlaces } from '../../projections/webhooks/places.ts';
import { CodedError } from '../protocol/errors.ts';
import { complaintOf } from './destination.ts';
import { testMessage } from './message.ts';
import { newSecret, type Seal, SealBroken, signed } from './secret.ts';
import type { Outcome, Sender } from './send.ts';

export interface Webhooks {
  /** The secret this once. Rejects with `invalid_payload` where the address is none that is asked. */
  create(plan: WebhookPlan, by: string): Promise<Webhook & { secret: string }>;
  list(page: PageRequest): Promise<Page<ShownWebhook>>;
  get(id: number): Promise<ShownWebhook>;
  change(id: number, change: Partial<WebhookPlan> & { active?: boolean }): Promise<Webhook>;
  delete(id: number): Promise<void>;
  /** Sends a message that is no event, at once. */
  test(id: number): Promise<Outcome>;
  resume(id: number, workshopId: number, fromVersion: number | null): Promise<Waiting>;
}

/** With the workshops in which deliveries fail or wait, 100 at most, the longest failing first. */
export interface ShownWebhook extends Webhook {
  troubled: Waiting[];
}

const shown = 100;

export interface WebhooksOptions {
  noting: Noting;
  seal: Seal;
  sender: Sender;
  allowPrivate: boolean;
}

export function webhooks({ noting, seal, sender, allowPrivate }: WebhooksOptions): Webhooks {
  const { database } = noting;

  function requireAddress(url: string | undefined): void {
    const complaint = url === undefined ? undefined : complaintOf(url, allowPrivate);
    if (complaint !== undefined) throw new CodedError('invalid_payload', `url: ${complaint}`);
  }

  async function withTroubles(hooks: readonly Webhook[]): Promise<ShownWebhook[]> {
    const ids = hooks.map(({ id }) => id);
    const troubled = await troubledPlaces(database, ids, shown);
    return hooks.map((hook) => ({ ...hook, troubled: troubled.get(hook.id) ?? [] }));
  }

  return {
    async create(plan, by) {
      requireAddress(plan.url);
      const secret = newSecret();
      const made = await createWebhook(noting, plan, { sealedSecret: sealed(seal, secret), by });
      return { ...made, secret };
    },
    async list(page) {
      const { items, nextCursor } = await listWebhooks(database, page);
      return { items: await withTroubles(items), nextCursor };
    },
    async get(id) {
      const [found] = await withTroubles([await webhookOf(database, id)]);
      return found as ShownWebhook;
    },
    async change(id, change) {
      requireAddress(change.url);
      return changeWebhook(noting, id, change);
    },
    delete: (id) => deleteWebhook(noting, id),
    async test(id) {
      const { url } = await webhookOf(database, id);
      const now = Date.now();
      const body = testMessage(id, now);
      try {
        const secret = seal.open(await sealedSecretOf(database, id));
        return await sender.send({
          url,
          body,
          headers: signed(secret, { id: `test_${id}_${now}`, at: now, body }),
        });
      } catch (error) {
        if (error instanceof SealBroken) return { ok: false, status: null, error: error.message };
        throw error;
      }
    },
    resume: (webhookId, workshopId, fromVersion) =>
      resumePlace(database, { webhookId, workshopId, fromVersion }),
  };
}

function sealed(seal: Seal, secret: string): string {
  try {
    return seal.seal(secret);
  } catch (error) {
    if (error instanceof SealBroken) throw new CodedError('invalid_state', error.message);
    throw error;
  }
}
