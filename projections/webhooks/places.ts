/**
 * How far each webhook has got in each workshop, and who delivers what.
 *
 * ```
 *   nothing left ──(the feed has more)──► due ──(claimed: a lease)──► delivering ──► nothing left, or due again
 *                                          ▲                            │ no 2xx
 *                                          ├──(later and later)── failing ◄┘
 *                                          └──(resumed)── waits ◄── failing for three days
 * ```
 * Several processes may deliver: what one has claimed no other gets until its lease is over, and who lost the lease notes nothing.
 */
import { CodedError } from '../../src/protocol/errors.ts';
import { isoTextOrNull } from '../database/columns.ts';
import type { Database, Row } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { reading } from '../database/page.ts';
import { missing, type Waiting } from './hooks.ts';

type Asked = Pick<Database, 'query'>;

/** A webhook's place in a workshop that is to be delivered. */
export interface Claim {
  webhookId: number;
  workshopId: number;
  url: string;
  types: string[] | null;
  sealedSecret: string;
  delivered: number;
  target: number;
  attempts: number;
}

/** Stretches of the feed that one look takes of each partition at most. */
const perLook = 500;
/** Places that one look makes or moves, roughly: each stretch may be one of each webhook. */
const placesPerLook = 20_000;
/** Events that are older than a webhook by more than this are none of its: its tables may have been made again. */
const slack = `interval '1 minute'`;

/** Looks through what came in since, for all webhooks. True where there may be more. */
export async function scanFeed(database: Asked): Promise<boolean> {
  const rows = await database.query(
    `with behind as (
       select s.partition, s.position, e.position as last from workshop_webhook_scans s join workshop_feed_ends e using (partition)
       where e.position > s.position and exists (select from workshop_webhooks) order by s.partition for update of s skip locked
     ), most as (
       select greatest(1, least(${perLook}, ${placesPerLook} / greatest(1, (select count(*) from behind))
         / greatest(1, (select count(*) from workshop_webhooks)))) as share
     ), stretches as (
       select f.* from behind b cross join lateral (
         select * from workshop_feed f where f.partition = b.partition and f.position > b.position
         order by f.position limit (select share from most)
       ) f
     ), moved as (
       update workshop_webhook_scans s set position = r.position
       from (select partition, max(position) as position from stretches group by partition) r
       where s.partition = r.partition
     ), news as (
       select n.*, (
         select e.at from workshop_events e where e.workshop_id = n.workshop_id and e.version = n.from_version
       ) as from_at from (
         select workshop_id, min(from_version) as from_version, max(to_version) as to_version from stretches group by workshop_id
       ) n
     ), placed as (
       insert into workshop_webhook_places as p (webhook_id, workshop_id, delivered, target, attempts, due_at, waits)
       select h.id, n.workshop_id,
         -- Mostly the first of them tells, and what is older need not be looked for: times never fall.
         case when n.from_at >= h.created_at - ${slack} then n.from_version - 1
           when exists (select from workshop_webhook_places o where o.webhook_id = h.id and o.workshop_id = n.workshop_id)
           then n.from_version - 1
           else greatest(n.from_version - 1, (
             select coalesce(max(e.version), 0) from workshop_events e
             where e.workshop_id = n.workshop_id and e.at < h.created_at - ${slack}))
         end, n.to_version, 0, now(), false
       from news n join workshop_webhooks h on h.workshop_ids is null or n.workshop_id = any(h.workshop_ids)
       on conflict (webhook_id, workshop_id) do update set
         delivered = least(p.delivered, excluded.delivered), target = greatest(p.target, excluded.target)
     ) select exists (
       select from behind b where b.last > (select max(f.position) from stretches f where f.partition = b.partition)
     ) as more`,
    [],
  );
  return rows[0]?.more === true;
}

export interface Claiming {
  /** Who claims. */
  owner: string;
  /** For how long, unless it is said again, in milliseconds. */
  leaseMs: number;
  /** How many each webhook has under way with this owner. */
  underWay: ReadonlyMap<number, number>;
  /** How many a webhook may have under way. */
  perWebhook: number;
  /** How many more there may be of all. A webhook that has none gets one all the same: however many others are slow, it goes on. */
  limit: number;
}

/** What is due and nobody delivers, in turn: the first of each webhook, then the second of each. */
export async function claimPlaces(database: Asked, claiming: Claiming): Promise<Claim[]> {
  const { owner, leaseMs, underWay, perWebhook, limit } = claiming;
  const rows = await database.query(
    `with open as (
       select h.id, coalesce(u.count, 0) as count from workshop_webhooks h
       left join unnest($3::text::bigint[], $6::text::integer[]) as u(id, count) on u.id = h.id
       where h.active and coalesce(u.count, 0) < $4::bigint
     ), ranked as (
       select p.webhook_id, p.workshop_id, p.due_at, h.count + row_number() over (partition by h.id order by p.due_at) as nth
       from open h cross join lateral (
         select p.webhook_id, p.workshop_id, p.due_at from workshop_webhook_places p
         where p.webhook_id = h.id and p.delivered < p.target and not p.waits and p.due_at <= now()
           and (p.lease_until is null or p.lease_until <= now())
         order by p.due_at limit $4::bigint - h.count for update skip locked
       ) p
     ), due as (
       select webhook_id, workshop_id from (
         select *, row_number() over (order by nth, due_at) as turn from ranked
       ) r where nth = 1 or turn <= $5::bigint
     )
     update workshop_webhook_places p set owner = $1::text, lease_until = now() + $2::bigint * interval '1 millisecond'
     from due d join workshop_webhooks h on h.id = d.webhook_id
     where p.webhook_id = d.webhook_id and p.workshop_id = d.workshop_id
     returning p.webhook_id, p.workshop_id, p.delivered, p.target, p.attempts, h.url, to_jsonb(h.types) as types, h.sealed_secret`,
    [
      ...[owner, leaseMs, arrayText([...underWay.keys()]), perWebhook, Math.max(0, limit)],
      arrayText([...underWay.values()]),
    ],
  );
  return rows.map((row) => ({
    ...{ webhookId: Number(row.webhook_id), workshopId: Number(row.workshop_id), url: String(row.url) },
    ...{ types: row.types as string[] | null, sealedSecret: String(row.sealed_secret) },
    ...{ delivered: Number(row.delivered), target: Number(row.target), attempts: Number(row.attempts) },
  }));
}

type Mine = Pick<Claim, 'webhookId' | 'workshopId'> & Pick<Claiming, 'owner'>;
const mine = 'webhook_id = $1::bigint and workshop_id = $2::bigint and owner = $3::text';

/** Everything up to that version is delivered, or not for this webhook. False where the place is another's by now. */
export async function noteDelivered(
  database: Asked,
  { webhookId, workshopId, owner }: Mine,
  { from, to, leaseMs }: { from: number; to: number; leaseMs: number },
): Promise<boolean> {
  const rows = await database.query(
    // What came in again meanwhile, before `from`, is to be delivered again.
    `update workshop_webhook_places set delivered = $5::bigint, attempts = 0, failing_since = null, last_error = null,
       lease_until = now() + $6::bigint * interval '1 millisecond'
     where ${mine} and delivered = $4::bigint returning workshop_id`,
    [webhookId, workshopId, owner, from, to, leaseMs],
  );
  return rows.length > 0;
}

/** There is nothing after `delivered`, although it was said that there is: the log has lost it. */
export async function noteNothingLeft(
  database: Asked,
  { webhookId, workshopId, owner }: Mine,
  { delivered, target }: Pick<Claim, 'delivered' | 'target'>,
): Promise<void> {
  await database.query(
    `update workshop_webhook_places set target = delivered, owner = null, lease_until = null
     where ${mine} and delivered = $4::bigint and target = $5::bigint`,
    [webhookId, workshopId, owner, delivered, target],
  );
}

/** It goes on at once, with whoever comes. */
export async function releasePlace(database: Asked, { webhookId, workshopId, owner }: Mine): Promise<void> {
  await database.query(
    `update workshop_webhook_places set owner = null, lease_until = null, due_at = now() where ${mine}`,
    [webhookId, workshopId, owner],
  );
}

export interface Failure {
  error: string;
  /** Until the next try, in milliseconds. */
  againMs: number;
  /** How long it is tried at all, in milliseconds. */
  givesUpAfterMs: number;
}

/** Answers with whether it waits for somebody now. */
export async function noteFailed(
  database: Asked,
  { webhookId, workshopId, owner }: Mine,
  { error, againMs, givesUpAfterMs }: Failure,
): Promise<boolean> {
  const [row] = await database.query(
    `update workshop_webhook_places set attempts = attempts + 1, failing_since = coalesce(failing_since, now()), last_error = $4::text,
       due_at = now() + $5::bigint * interval '1 millisecond', owner = null, lease_until = null,
       waits = now() - coalesce(failing_since, now()) >= $6::bigint * interval '1 millisecond'
     where ${mine} returning waits`,
    [webhookId, workshopId, owner, error, againMs, givesUpAfterMs],
  );
  return row?.waits === true;
}

/** Goes on at a version, or where it stopped, whoever is at it. `not_found` where there is no such webhook or workshop. */
export async function resumePlace(
  database: Asked,
  {
    webhookId,
    workshopId,
    fromVersion,
  }: { webhookId: number; workshopId: number; fromVersion: number | null },
): Promise<Waiting> {
  return reading(async () => {
    const [known] = await database.query(
      `select (select count(*) from workshop_webhooks where id = $1::bigint) as hooks,
         (select max(version) from workshop_events where workshop_id = $2::bigint) as version`,
      [webhookId, workshopId],
    );
    if (Number(known?.hooks) === 0) throw missing();
    if (known?.version === null) throw new CodedError('not_found');
    const version = Number(known?.version);
    if (fromVersion !== null && fromVersion > version + 1)
      throw new CodedError('invalid_payload', `fromVersion: the tables have versions up to ${version}`);
    const [row] = await database.query(
      `insert into workshop_webhook_places as p (webhook_id, workshop_id, delivered, target, attempts, due_at, waits)
       values ($1::bigint, $2::bigint, coalesce($3::bigint - 1, $4::bigint), $4::bigint, 0, now(), false)
       on conflict (webhook_id, workshop_id) do update set delivered = coalesce($3::bigint - 1, p.delivered),
         target = greatest(p.target, excluded.target), attempts = 0, failing_since = null, last_error = null,
         due_at = now(), waits = false, owner = null, lease_until = null
       returning ${waitingColumns}`,
      [webhookId, workshopId, fromVersion, version],
    );
    return waiting(row as Row);
  });
}

const waitingColumns = 'workshop_id, delivered, attempts, waits, failing_since, due_at, last_error';

/** Where deliveries fail or wait, the longest failing first; of each webhook so many at most. */
export async function troubledPlaces(
  database: Asked,
  webhookIds: readonly number[],
  limit: number,
): Promise<Map<number, Waiting[]>> {
  const rows = await reading(() =>
    database.query(
      `select h.id as webhook_id, p.* from unnest($1::text::bigint[]) as h(id) cross join lateral (
         select ${waitingColumns} from workshop_webhook_places p
         where p.webhook_id = h.id and (p.waits or p.attempts > 0) order by p.failing_since limit $2::bigint
       ) p`,
      [arrayText(webhookIds), limit],
    ),
  );
  const found = new Map<number, Waiting[]>();
  for (const row of rows) {
    const id = Number(row.webhook_id);
    found.set(id, [...(found.get(id) ?? []), waiting(row)]);
  }
  return found;
}

/** How many places there are that wait for somebody, and how many that fail. */
export async function countTroubled(database: Asked): Promise<{ waiting: number; failing: number }> {
  const [row] = await database.query(
    `select count(*) filter (where waits) as waiting, count(*) filter (where not waits) as failing
     from workshop_webhook_places where waits or attempts > 0`,
    [],
  );
  return { waiting: Number(row?.waiting), failing: Number(row?.failing) };
}

function waiting(row: Row): Waiting {
  const waits = row.waits as boolean;
  return {
    ...{ workshopId: Number(row.workshop_id), fromVersion: Number(row.delivered) + 1 },
    ...{
      attempts: Number(row.attempts),
      waits,
      failingSince: isoTextOrNull(row.failing_since as number | null),
    },
    nextTryAt: waits ? null : isoTextOrNull(row.due_at as number),
    lastError: row.last_error as string | null,
  };
}
