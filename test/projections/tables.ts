/** The tables of one workshop as they are, under the contract's names; instants are milliseconds since 1970. */
import type { Database } from '../../projections/database/database.ts';
import type { Tables } from './expected.ts';

export async function tablesOf(database: Database, workshopId: number): Promise<Tables> {
  const [workshop, attendees, chat, events] = await Promise.all([
    database.query(
      `select host_id, title, description, visibility, status, capacity, scheduled_at, duration_minutes, started_at,
         ended_at, created_at, version
       from workshops where id = $1::bigint`,
      [workshopId],
    ),
    database.query(
      `select user_id, display_name, avatar_url, status, is_host, is_co_host, can_speak, hand_raised_at, joined_at,
         left_at, present_ms
       from workshop_attendees where workshop_id = $1::bigint order by user_id`,
      [workshopId],
    ),
    database.query(
      `select id, user_id, display_name, avatar_url, message, offset_ms, created_at, deleted_at
       from workshop_chat_messages where workshop_id = $1::bigint order by id`,
      [workshopId],
    ),
    database.query(
      `select version, event_id, type, schema, at, by, command_id, data
       from workshop_events where workshop_id = $1::bigint order by version`,
      [workshopId],
    ),
  ]);
  return { workshop: workshop[0], attendees: attendees as unknown as Tables['attendees'], chat, events };
}
