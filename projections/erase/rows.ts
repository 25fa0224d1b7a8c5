/** Taking a person out of the tables. What it writes is what folding the erased events gives, so it may be repeated. */
import { eventOf, eventTypes } from '../../src/domain/catalog.ts';
import { eraseFrom } from '../../src/domain/erasing.ts';
import { nobody } from '../../src/domain/person.ts';
import { arrayText } from '../arrayText.ts';
import type { Database } from '../database.ts';
import { roomSnapshots } from '../snapshots/snapshots.ts';

/** Rows that were changed. */
export interface Erased {
  events: number;
  messages: number;
  /** Rows of `workshop_attendees`. */
  attendances: number;
}

/** Workshops in whose tables something of a user may stand. */
export async function workshopsOf(database: Database, userId: number): Promise<number[]> {
  const rows = await database.query(
    `select workshop_id as id from workshop_attendees where user_id = $1::bigint
     union select workshop_id from workshop_chat_messages where user_id = $1::bigint
     union select id from workshops where host_id = $1::bigint
     union select workshop_id from workshop_events_lost`,
    [userId],
  );
  return rows.map((row) => Number(row.id)).sort((one, other) => one - other);
}

export async function eraseRows(database: Database, workshopId: number, userId: number): Promise<Erased> {
  const events = await eraseEvents(database, 'workshop_events', workshopId, userId);
  const lost = await eraseEvents(database, 'workshop_events_lost', workshopId, userId);
  const parameters = [workshopId, userId, nobody.displayName];
  const messages = await database.query(
    `update workshop_chat_messages set display_name = $3::text, avatar_url = null, message = null
     where workshop_id = $1::bigint and user_id = $2::bigint
       and (display_name <> $3::text or avatar_url is not null or message is not null) returning id`,
    parameters,
  );
  // Who was invited and never came has no name in the log either.
  const attendances = await database.query(
    `update workshop_attendees set display_name = $3::text, avatar_url = null
     where workshop_id = $1::bigint and user_id = $2::bigint and display_name is not null
       and (display_name <> $3::text or avatar_url is not null) returning user_id`,
    parameters,
  );
  const erased = { events: events + lost, messages: messages.length, attendances: attendances.length };
  if (erased.events + erased.messages + erased.attendances > 0)
    await roomSnapshots(database).remove(workshopId);
  return erased;
}

const personal = eventTypes.filter((type) => eventOf(type).erase !== undefined);
/** Events to a statement. */
const page = 1_000;

async function eraseEvents(
  database: Database,
  table: 'workshop_events' | 'workshop_events_lost',
  workshopId: number,
  userId: number,
): Promise<number> {
  let changed = 0;
  // Of what was lost there may be several events of one version.
  let after: [version: number, eventId: string] = [0, ''];
  for (;;) {
    const rows = await database.query(
      `select version, event_id, type, data from ${table}
       where workshop_id = $1::bigint and (version, event_id) > ($2::bigint, $3::text)
         and type = any($4::text::text[]) and (data ->> 'userId' = $5::text or data ->> 'by' = $5::text)
       order by version, event_id limit ${page}`,
      [workshopId, ...after, arrayText(personal), String(userId)],
    );
    const written = rows.flatMap(({ version, event_id, type, data }) => {
      const without = eraseFrom({ type: String(type), data }, userId);
      return without === data ? [] : [{ version, eventId: String(event_id), data: JSON.stringify(without) }];
    });
    if (written.length > 0)
      await database.query(
        `update ${table} e set data = r.data
         from unnest($2::text::bigint[], $3::text::text[], $4::text::jsonb[]) as r(version, event_id, data)
         where e.workshop_id = $1::bigint and e.version = r.version and e.event_id = r.event_id`,
        [
          workshopId,
          arrayText(written.map(({ version }) => Number(version))),
          arrayText(written.map(({ eventId }) => eventId)),
          arrayText(written.map(({ data }) => data)),
        ],
      );
    changed += written.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < page) return changed;
    after = [Number(last.version), String(last.event_id)];
  }
}
