/** Which webhooks there are. */
import { randomInt } from 'node:crypto';
import { CodedError } from '../../src/protocol/errors.ts';
import { isoText } from '../database/columns.ts';
import type { Database, Row } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { keyOf, type Page, type PageRequest, pageOf, reading } from '../database/page.ts';
import { type Noting, note } from '../notes/notes.ts';

/** What one may say of a webhook. null: of all types, of all workshops. */
export interface WebhookPlan {
  url: string;
  types: string[] | null;
  workshopIds: number[] | null;
  description: string | null;
}

export interface Webhook extends WebhookPlan {
  id: number;
  active: boolean;
  /** Why it is not, where its receiver ended it. */
  endedBecause: string | null;
  createdAt: string;
  createdBy: string;
}

/** What waits of a webhook, in one workshop. */
export interface Waiting {
  workshopId: number;
  /** The next version to be delivered. */
  fromVersion: number;
  /** How many tries of it have failed. */
  attempts: number;
  /** It is not tried any more until somebody resumes it. */
  waits: boolean;
  failingSince: string | null;
  nextTryAt: string | null;
  lastError: string | null;
}

/** Arrays as JSON: Postgres.js leaves their own form to us, PGlite does not. */
const columns = `id, url, to_jsonb(types) as types, to_jsonb(workshop_ids) as workshop_ids, description, active, ended_because,
  created_by, created_at`;

/** From now on. */
export async function createWebhook(
  noting: Noting,
  plan: WebhookPlan,
  { sealedSecret, by }: { sealedSecret: string; by: string },
): Promise<Webhook> {
  const id = randomInt(1, 2 ** 48);
  return reading(async () => {
    // The first one begins with what comes from now on: nothing was looked through while there was none.
    const rows = await noting.database.query(
      `with others as (select 1 from workshop_webhooks limit 1), begun as (
         update workshop_webhook_scans s set position = e.position from workshop_feed_ends e
         where e.partition = s.partition and not exists (select from others)
       )
       insert into workshop_webhooks (id, url, types, workshop_ids, description, sealed_secret, active, created_by, created_at)
       values ($1::bigint, $2::text, $3::text::text[], $4::text::bigint[], $5::text, $6::text, true, $7::text, now())
       returning ${columns}`,
      [...[id, plan.url, arrayOf(plan.types), arrayOf(plan.workshopIds)], plan.description, sealedSecret, by],
    );
    await note(noting, 'workshop_webhooks', { id });
    return webhook(rows[0] as Row);
  });
}

const arrayOf = (list: readonly (string | number)[] | null) => (list === null ? null : arrayText(list));

export function listWebhooks(
  database: Pick<Database, 'query'>,
  { cursor, limit }: PageRequest,
): Promise<Page<Webhook>> {
  const after = keyOf(cursor) ?? 0;
  return reading(async () => {
    const rows = await database.query(
      `select ${columns} from workshop_webhooks where id > $1::bigint order by id limit $2::bigint`,
      [after, limit + 1],
    );
    return pageOf(rows, limit, webhook, (row) => Number(row.id));
  });
}

export async function webhookOf(database: Pick<Database, 'query'>, id: number): Promise<Webhook> {
  const [row] = await reading(() =>
    database.query(`select ${columns} from workshop_webhooks where id = $1::bigint`, [id]),
  );
  if (row === undefined) throw missing();
  return webhook(row);
}

export async function sealedSecretOf(database: Pick<Database, 'query'>, id: number): Promise<string> {
  const [row] = await reading(() =>
    database.query('select sealed_secret from workshop_webhooks where id = $1::bigint', [id]),
  );
  if (row === undefined) throw missing();
  return String(row.sealed_secret);
}

/** What is left out stays. */
export async function changeWebhook(
  noting: Noting,
  id: number,
  change: Partial<WebhookPlan> & { active?: boolean },
): Promise<Webhook> {
  const next = { ...(await webhookOf(noting.database, id)), ...change };
  return reading(async () => {
    const [row] = await noting.database.query(
      `update workshop_webhooks set url = $2::text, types = $3::text::text[], workshop_ids = $4::text::bigint[],
         description = $5::text, active = $6::text::boolean, ended_because = case when $6::text::boolean then null else ended_because end
       where id = $1::bigint returning ${columns}`,
      [
        ...[id, next.url, arrayOf(next.types), arrayOf(next.workshopIds)],
        next.description,
        String(next.active),
      ],
    );
    if (row === undefined) throw missing();
    await note(noting, 'workshop_webhooks', { id });
    return webhook(row);
  });
}

export async function deleteWebhook(noting: Noting, id: number): Promise<void> {
  const rows = await reading(() =>
    noting.database.query('delete from workshop_webhooks where id = $1::bigint returning id', [id]),
  );
  if (rows.length === 0) throw missing();
  await note(noting, 'workshop_webhooks', { id });
}

export async function areThereWebhooks(database: Pick<Database, 'query'>): Promise<boolean> {
  const [row] = await database.query('select exists (select from workshop_webhooks) as are_there', []);
  return row?.are_there === true;
}

/** Its receiver wants no more. */
export async function endWebhook(noting: Noting, id: number, because: string): Promise<void> {
  await noting.database.query(
    'update workshop_webhooks set active = false, ended_because = $2::text where id = $1::bigint',
    [id, because],
  );
  await note(noting, 'workshop_webhooks', { id });
}

export const missing = () => new CodedError('not_found', 'there is no such webhook');

function webhook(row: Row): Webhook {
  const { id, url, description, active } = row;
  return {
    ...{ id: Number(id), url: String(url), description: description as string | null },
    types: row.types as string[] | null,
    workshopIds: row.workshop_ids as number[] | null,
    ...{ active: active as boolean, endedBecause: row.ended_because as string | null },
    ...{ createdBy: String(row.created_by), createdAt: isoText(Number(row.created_at)) },
  };
}
