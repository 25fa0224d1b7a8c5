/** Reading the events of all workshops in the order in which the tables got them. */
import { z } from 'zod';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { namedColumns } from '../database/columns.ts';
import type { Database, Row } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { reading } from '../database/page.ts';
import { recordedEvent } from '../events/projection.ts';
import { type EventRow, events } from '../events/schema.ts';
import { beginning, cursorOf, type FeedOrigin, type Place, placeAt } from './place.ts';

export interface FeedEvent {
  workshopId: number;
  event: RecordedEvent;
  /** When the workshop went live, as far as that is known; milliseconds since 1970. */
  startedAt: number | null;
}

export interface FeedPage {
  events: FeedEvent[];
  /** Where to go on; the same place again where there was nothing. */
  nextCursor: string;
}

export interface FeedRequest {
  after?: string | undefined;
  /** Events at most. */
  limit: number;
}

/** Events of one workshop that came in together, from the first one that was not read. */
interface Stretch {
  partition: number;
  position: number;
  workshopId: number;
  fromVersion: number;
  toVersion: number;
}

/** Looks of one request at the feed where what it held was taken back since (lost events). */
const mostLooks = 100;

/** `identity` is the log's. Rejects with `invalid_payload` where the cursor was not given out for it. */
export async function feedPage(
  database: Pick<Database, 'read'>,
  identity: string,
  { after, limit }: FeedRequest,
): Promise<FeedPage> {
  return reading(async () => {
    const ends = await endsOf(database);
    const origin: FeedOrigin = { identity, generation: ends.generation, partitions: ends.positions.length };
    let place = after === undefined ? beginning(origin) : placeAt(after, origin);
    // Ahead of all that there is: the database was put back from a backup, and counts on from there. Nothing may be passed over.
    if (place.positions.some((position, index) => position > (ends.positions[index] ?? 0)))
      place = beginning(origin);
    let found: FeedEvent[] = [];
    for (let looks = 0; found.length === 0 && looks < mostLooks; looks++) {
      const stretches = await stretchesAfter(database, place, ends.positions, limit);
      if (stretches.length === 0) break;
      const taken = fitting(stretches, limit);
      found = await eventsOf(database, taken);
      place = moved(place, taken, stretches);
    }
    return { events: found, nextCursor: cursorOf(place, origin) };
  });
}

async function endsOf(
  database: Pick<Database, 'read'>,
): Promise<{ positions: number[]; generation: string }> {
  const rows = await database.read(
    'select position, generation from workshop_feed_ends order by partition',
    [],
  );
  return { positions: rows.map(({ position }) => Number(position)), generation: String(rows[0]?.generation) };
}

const stretchRow = z.object({
  ...{ partition: z.number(), position: z.number(), workshopId: z.number() },
  ...{ fromVersion: z.number(), toVersion: z.number() },
});

/** At least one of each partition that has any, in turn from the place's own partition on, and about `limit` in all. */
async function stretchesAfter(
  database: Pick<Database, 'read'>,
  { positions, partition, version }: Place,
  ends: readonly number[],
  limit: number,
): Promise<Stretch[]> {
  const open = ends.flatMap((end, index) => (end > (positions[index] ?? 0) ? [index] : []));
  if (open.length === 0) return [];
  // The partition that a page ended in comes first: its stretch is read to its end.
  const inTurn = [...open.filter((each) => each >= partition), ...open.filter((each) => each < partition)];
  const rows = await database.read(
    `select f.partition, f.position, f.workshop_id as "workshopId", f.from_version as "fromVersion", f.to_version as "toVersion"
     from unnest($1::text::integer[], $2::text::bigint[]) with ordinality as c(partition, position, turn)
     cross join lateral (
       select * from workshop_feed f where f.partition = c.partition and f.position > c.position
       order by f.position limit $3::bigint
     ) f order by c.turn, f.position`,
    [
      ...[arrayText(inTurn), arrayText(inTurn.map((each) => positions[each] ?? 0))],
      Math.ceil(limit / inTurn.length),
    ],
  );
  const stretches = rows.map((row) => stretchRow.parse(row));
  const [first] = stretches;
  if (first !== undefined && first.partition === partition && version > 0)
    first.fromVersion = Math.max(first.fromVersion, version + 1);
  return stretches;
}

/** As many as hold `limit` versions; the last one cut off there. One whose events were all lost since holds none. */
function fitting(stretches: readonly Stretch[], limit: number): Stretch[] {
  const taken: Stretch[] = [];
  let left = limit;
  for (const stretch of stretches) {
    if (left <= 0) break;
    const toVersion = Math.min(stretch.toVersion, stretch.fromVersion + left - 1);
    taken.push({ ...stretch, toVersion });
    left -= Math.max(0, toVersion - stretch.fromVersion + 1);
  }
  return taken;
}

function moved(from: Place, taken: readonly Stretch[], all: readonly Stretch[]): Place {
  const positions = [...from.positions];
  for (const { partition, position } of taken) positions[partition] = position;
  const last = taken.at(-1);
  const whole = all[taken.length - 1];
  if (last === undefined || whole === undefined) return from;
  const { partition } = last;
  if (last.toVersion === whole.toVersion)
    return { positions, partition: (partition + 1) % positions.length, version: 0 };
  positions[partition] = last.position - 1;
  return { positions, partition, version: last.toVersion };
}

const columns = namedColumns(events, 'e');

async function eventsOf(
  database: Pick<Database, 'read'>,
  stretches: readonly Stretch[],
): Promise<FeedEvent[]> {
  const column = (key: 'workshopId' | 'fromVersion' | 'toVersion') =>
    arrayText(stretches.map((each) => each[key]));
  const rows = await database.read(
    `select ${columns}, w.started_at as "startedAt"
     from unnest($1::text::bigint[], $2::text::bigint[], $3::text::bigint[]) with ordinality
       as s(workshop_id, from_version, to_version, place)
     join workshop_events e on e.workshop_id = s.workshop_id and e.version between s.from_version and s.to_version
     left join workshops w on w.id = e.workshop_id
     order by s.place, e.version`,
    [column('workshopId'), column('fromVersion'), column('toVersion')],
  );
  return rows.map(feedEvent);
}

function feedEvent({ startedAt, ...row }: Row): FeedEvent {
  const stored = row as unknown as EventRow; // the columns of that very table
  return {
    ...{ workshopId: stored.workshopId, event: recordedEvent(stored) },
    startedAt: startedAt as number | null,
  };
}
