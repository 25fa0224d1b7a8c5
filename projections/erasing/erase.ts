/**
 * Forgetting a person in one workshop: in the log's stream and feed, in every table, and in what nodes hold in memory. What was
 * theirs is taken out of the events as their definitions say; the rows then are what folding those events gives. It may be
 * repeated, also after it broke off in the middle.
 */
import { randomUUID } from 'node:crypto';
import { erasedData } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { nobody } from '../../src/domain/person.ts';
import { readAll } from '../../src/log/log.ts';
import { accounting } from '../archive/account.ts';
import { isArchived, recordAnew } from '../archive/archives.ts';
import { arrayText } from '../arrayText.ts';
import { projectionName } from '../bookkeeping.ts';
import type { Database } from '../database.ts';
import type { ProjectedLog } from '../feed.ts';
import type { Fencing } from '../fencing.ts';
import { keptEvents } from '../kept.ts';
import { retrying } from '../retry.ts';
import { roomSnapshots } from '../snapshots/snapshots.ts';
import type { OpenErasure } from './request.ts';

export interface Erasing {
  database: Database;
  log: ProjectedLog;
  place: { partition: number; fence: number };
  own: Fencing;
  /** Brings the workshop's tables up to the log. */
  catchUp(workshopId: number): Promise<unknown>;
  signal: AbortSignal;
  onError(error: unknown): void;
}

export interface Erased {
  events: number;
  messages: number;
}

/** Rows that are read and written at once. */
const page = 1_000;

/** While nothing else of the partition is folded or written. Throws `Fenced`. `before`: events that are counted already. */
export async function eraseIn(
  erasing: Erasing,
  wish: OpenErasure,
  before: ReadonlySet<number> = new Set(),
): Promise<Erased> {
  const { database, log } = erasing;
  const { workshopId, userId } = wish;
  const events = new Set<number>();
  const messages = new Set<number>();
  const erase = (event: RecordedEvent) => {
    const data = erasedData(event, userId);
    if (data !== event.data) {
      events.add(event.version);
      if (event.type === 'chat-message') messages.add(event.version);
    }
    return data;
  };
  const trying = <T>(run: () => Promise<T>) => retrying(run, erasing);

  await trying(() => log.rewrite(workshopId, erase));
  const isKept = (await trying(() => log.head(workshopId))) === null;
  const counted = new Set([...before, ...(await eraseRows(erasing, wish, erase))]);
  await trying(() => eraseLost(erasing, workshopId, userId));
  await erasePerson(erasing, { workshopId, userId, isKept, isTouched: events.size > 0 });
  await trying(() => roomSnapshots(database).remove(workshopId));
  if (isKept) {
    // What nodes hold in memory of it came from the rows.
    await trying(() => log.announce(workshopId));
    // Put back meanwhile, from what was there before: from here on that fails.
    const isBack = (await trying(() => log.head(workshopId))) !== null;
    if (isBack) return eraseIn(erasing, wish, new Set([...counted, ...events]));
  } else {
    await erasing.catchUp(workshopId);
  }
  await trying(() => accountAnew(erasing, workshopId));
  const uncounted = (versions: Set<number>) => [...versions].filter((each) => !counted.has(each)).length;
  await finish(erasing, wish, { events: uncounted(events), messages: uncounted(messages) });
  return { events: events.size, messages: messages.size };
}

/** Counts what it takes away with the taking itself; answers with the versions that lost something. */
async function eraseRows(
  { database, own, ...trying }: Erasing,
  { workshopId, userId }: OpenErasure,
  erase: (event: RecordedEvent) => unknown,
): Promise<Set<number>> {
  const counted = new Set<number>();
  for (let after = 0; ; ) {
    const rows = await retrying(() => keptEvents(database, workshopId, after, page), trying);
    const last = rows.at(-1);
    if (last === undefined) return counted;
    after = last.version;
    const anew = rows.flatMap((event) => {
      const data = erase(event);
      return data === event.data ? [] : [{ version: event.version, data: JSON.stringify(data) }];
    });
    if (anew.length === 0) continue;
    await own.fenced(
      `erased as (
         update workshop_events e set data = n.data
         from mine, unnest($2::text::bigint[], $3::text::jsonb[]) as n(version, data)
         where e.workshop_id = $1::bigint and e.version = n.version and e.data is distinct from n.data
         returning e.type
       ), counted as (
         update workshop_erasures x set events = x.events + (select count(*) from erased),
           messages = x.messages + (select count(*) from erased where type = 'chat-message')
         from mine where x.workshop_id = $1::bigint and x.user_id = $4::bigint
       )`,
      [
        workshopId,
        arrayText(anew.map(({ version }) => version)),
        arrayText(anew.map(({ data }) => data)),
        userId,
      ],
    );
    for (const { version } of anew) counted.add(version);
  }
}

async function eraseLost({ database }: Erasing, workshopId: number, userId: number): Promise<void> {
  const rows = await database.query(
    'select event_id, type, data from workshop_events_lost where workshop_id = $1::bigint',
    [workshopId],
  );
  for (const row of rows) {
    const data = erasedData({ type: String(row.type), data: row.data }, userId);
    if (data === row.data) continue;
    await database.query(
      `update workshop_events_lost set data = $3::text::jsonb
       where workshop_id = $1::bigint and event_id = $2::text`,
      [workshopId, String(row.event_id), JSON.stringify(data)],
    );
  }
}

interface Touched {
  workshopId: number;
  userId: number;
  /** The log has no stream of it. */
  isKept: boolean;
  /** Something was taken out of its events. */
  isTouched: boolean;
}

/**
 * The rows of the person, and, where anything was theirs, whatever a rebuild has folded so far: it begins anew. Where there is no stream another epoch says so
 * to whoever has read the rows before; elsewhere the log itself has another one now.
 */
async function erasePerson({ own }: Erasing, { workshopId, userId, ...is }: Touched): Promise<void> {
  const isTouched = '($6::text::boolean or exists (select from people) or exists (select from messages))';
  const next = ['workshop_attendees_next', 'workshop_chat_messages_next', 'workshop_events_next'].map(
    (table) =>
      `${table}_gone as (delete from ${table} n using mine where n.workshop_id = $1::bigint and ${isTouched})`,
  );
  await own.fenced(
    `people as (
       update workshop_attendees a set display_name = $3::text, avatar_url = null
       from mine where a.workshop_id = $1::bigint and a.user_id = $2::bigint and a.display_name is not null
         and (a.display_name <> $3::text or a.avatar_url is not null)
       returning a.user_id
     ), messages as (
       update workshop_chat_messages m set display_name = $3::text, avatar_url = null, message = null
       from mine where m.workshop_id = $1::bigint and m.user_id = $2::bigint
         and (m.display_name <> $3::text or m.avatar_url is not null or m.message is not null)
       returning m.id
     ), workshop_gone as (
       delete from workshops_next n using mine where n.id = $1::bigint and ${isTouched}
     ), ${next.join(', ')}, called_off as (
       delete from projection_chunks c using mine
       where c.projection = '${projectionName}' and c.partition = mine.partition and ${isTouched}
     ), begun as (
       update workshops w set epoch = $4::text from mine where w.id = $1::bigint and $5::text::boolean
     )`,
    [
      ...[workshopId, userId, nobody.displayName, `erased ${randomUUID()}`],
      ...[String(is.isKept), String(is.isTouched)],
    ],
  );
}

/** What an archived workshop came to, now that something is missing. */
async function accountAnew({ database, place }: Erasing, workshopId: number): Promise<void> {
  if (!(await isArchived(database, workshopId))) return;
  const rows = { read: (id: number, after: number, limit: number) => keptEvents(database, id, after, limit) };
  const { add, account } = accounting(workshopId);
  for await (const events of readAll(rows, workshopId)) for (const event of events) add(event);
  await recordAnew(database, place, workshopId, account());
}

/**
 * Done, unless somebody has asked again meanwhile: what came after this began is then looked for too. The record stays where
 * anything was ever taken away. What is given was taken away and not counted yet.
 */
async function finish(
  { own }: Erasing,
  { workshopId, userId, requestedAt }: OpenErasure,
  { events, messages }: Erased,
): Promise<void> {
  await own.fenced(
    `nothing as (
       delete from workshop_erasures e using mine
       where e.workshop_id = $1::bigint and e.user_id = $2::bigint and e.requested_at = $5::text::timestamptz
         and e.events + $3::integer = 0
     ), done as (
       update workshop_erasures e set events = e.events + $3::integer, messages = e.messages + $4::integer,
         done_at = case when e.requested_at = $5::text::timestamptz then now() end
       from mine where e.workshop_id = $1::bigint and e.user_id = $2::bigint and e.events + $3::integer > 0
         and e.done_at is null
     )`,
    [workshopId, userId, events, messages, requestedAt],
  );
}
