/**
 * Forgetting a person in one workshop: in the log's stream and feed, in every table, and in what nodes hold in memory. What was
 * theirs is taken out of the events as their definitions say; the rows then are what folding those events gives. It may be
 * repeated, also after it broke off in the middle.
 *
 * ```
 *   stream ──► stored events, lost ones ──► the person's rows ──► snapshots ──► tables brought up to the log
 *     ▲                                                                    or, without a stream, nodes told to read again
 *     └──── put back meanwhile, from what was there before ◄────────────────────┤
 *                                          what was archived is added up again ◄┴──► recorded as done
 * ```
 */
import { randomUUID } from 'node:crypto';
import { erasedData } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { nobody } from '../../src/domain/text.ts';
import { UnknownSchema } from '../../src/domain/upcast.ts';
import { readAll } from '../../src/log/log.ts';
import { retrying } from '../../src/timing/retry.ts';
import { accounting } from '../archive/account.ts';
import { isArchived, recordArchiveAgain } from '../archive/archives.ts';
import type { FencedWriter } from '../checkpoints/fencedWriter.ts';
import type { Checkpoint } from '../checkpoints/leases.ts';
import { projectionName } from '../checkpoints/schema.ts';
import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { storedEvents } from '../events/queries.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { note } from '../notes/notes.ts';
import { roomSnapshots } from '../snapshots/snapshots.ts';
import type { OpenErasure } from './request.ts';

export interface Erasing {
  database: Database;
  log: ProjectedLog;
  checkpoint: Pick<Checkpoint, 'partition' | 'fence'>;
  writer: FencedWriter;
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

/** While nothing else of the partition is folded or written. Throws `Fenced` and `UnknownSchema`. */
export async function eraseIn(erasing: Erasing, erasure: OpenErasure): Promise<Erased> {
  /** Versions that the record of the erasure counts already. */
  const counted = new Set<number>();
  let pass = await eraseOnce(erasing, erasure, counted);
  while (pass.isPutBack) {
    for (const version of pass.events) counted.add(version);
    pass = await eraseOnce(erasing, erasure, counted);
  }
  const { events, messages } = pass;
  await retrying(() => recordAgain(erasing, erasure.workshopId), { ...erasing, isFinal });
  const uncounted = (versions: Set<number>) => [...versions].filter((each) => !counted.has(each)).length;
  await finish(erasing, erasure, { events: uncounted(events), messages: uncounted(messages) });
  const key = { user_id: erasure.userId, workshop_id: erasure.workshopId };
  await retrying(() => note(erasing, 'workshop_erasures', key), erasing);
  return { events: events.size, messages: messages.size };
}

/** What is theirs in an event of a newer schema nobody here can tell: nothing is said to be done. */
const isFinal = (error: unknown) => error instanceof UnknownSchema;

interface Pass {
  /** Versions of events that lost something, and those of them that are messages. */
  events: Set<number>;
  messages: Set<number>;
  /** The log has the workshop's stream again, from what was there before. From here on putting it back fails. */
  isPutBack: boolean;
}

async function eraseOnce(erasing: Erasing, erasure: OpenErasure, counted: Set<number>): Promise<Pass> {
  const { database, log } = erasing;
  const { workshopId, userId } = erasure;
  const pass: Pass = { events: new Set(), messages: new Set(), isPutBack: false };
  const erase = (event: RecordedEvent) => {
    const data = erasedData(event, userId);
    if (data !== event.data) {
      pass.events.add(event.version);
      if (event.type === 'chat-message') pass.messages.add(event.version);
    }
    return data;
  };
  const trying = <T>(run: () => Promise<T>) => retrying(run, { ...erasing, isFinal });
  const hasStream = async () => (await trying(() => log.events.head(workshopId))) !== null;

  await trying(() => log.streams.rewrite(workshopId, erase));
  const isLogged = await hasStream();
  await eraseRows(erasing, erasure, erase, counted);
  await trying(() => eraseLost(erasing, workshopId, userId));
  await erasePerson(erasing, { workshopId, userId, isLogged, isTouched: pass.events.size > 0 });
  await trying(() => roomSnapshots(database).remove(workshopId));
  if (isLogged) {
    await erasing.catchUp(workshopId);
  } else {
    // What nodes hold in memory of it came from the rows.
    await trying(() => log.feed.announce(workshopId));
    pass.isPutBack = await hasStream();
  }
  return pass;
}

/** Counts what it takes away with the taking itself, and adds the versions that lost something to `counted`. */
async function eraseRows(
  erasing: Erasing,
  { workshopId, userId }: OpenErasure,
  erase: (event: RecordedEvent) => unknown,
  counted: Set<number>,
): Promise<void> {
  const stored = storedEvents(erasing.database);
  for (let after = 0; ; ) {
    const events = await retrying(() => stored.read(workshopId, after, page), erasing);
    const last = events.at(-1);
    if (last === undefined) return;
    after = last.version;
    const changed = events.flatMap((event) => {
      const data = erase(event);
      return data === event.data ? [] : [{ version: event.version, data: JSON.stringify(data) }];
    });
    if (changed.length === 0) continue;
    await erasing.writer.run(
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
        arrayText(changed.map(({ version }) => version)),
        arrayText(changed.map(({ data }) => data)),
        userId,
      ],
    );
    for (const { version } of changed) counted.add(version);
  }
}

async function eraseLost({ database }: Erasing, workshopId: number, userId: number): Promise<void> {
  const rows = await database.query(
    'select event_id, type, schema, data from workshop_events_lost where workshop_id = $1::bigint',
    [workshopId],
  );
  for (const row of rows) {
    const data = erasedData({ type: String(row.type), schema: Number(row.schema), data: row.data }, userId);
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
  /** The log has a stream of it. */
  isLogged: boolean;
  /** Something was taken out of its events. */
  isTouched: boolean;
}

/**
 * The rows of the person, and, where anything was theirs, whatever a rebuild has folded so far: another one begins. Where there is
 * no stream another epoch says so to whoever has read the rows before; elsewhere the log itself has another one now.
 */
async function erasePerson({ writer }: Erasing, { workshopId, userId, ...is }: Touched): Promise<void> {
  const isTouched = '($6::text::boolean or exists (select from people) or exists (select from messages))';
  const next = ['workshop_attendees_next', 'workshop_chat_messages_next', 'workshop_events_next'].map(
    (table) =>
      `${table}_gone as (delete from ${table} n using mine where n.workshop_id = $1::bigint and ${isTouched})`,
  );
  await writer.run(
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
      ...[String(!is.isLogged), String(is.isTouched)],
    ],
  );
}

/** What an archived workshop came to, now that something is missing. */
async function recordAgain({ database, checkpoint }: Erasing, workshopId: number): Promise<void> {
  if (!(await isArchived(database, workshopId))) return;
  const { add, account } = accounting(workshopId);
  for await (const events of readAll(storedEvents(database), workshopId))
    for (const event of events) add(event);
  await recordArchiveAgain(database, checkpoint, workshopId, account());
}

/**
 * Done, unless somebody has asked again meanwhile: what came after this began is then looked for too. The record stays where
 * anything was ever taken away. What is handed in was taken away and not counted yet.
 */
async function finish(
  { writer }: Erasing,
  { workshopId, userId, requestedAt }: OpenErasure,
  { events, messages }: Erased,
): Promise<void> {
  await writer.run(
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
