/** Reads of `workshops`. They may lag behind the log; `waitForVersion` is for who must not. */
import { and, desc, eq, exists, lt, max, or, sql } from 'drizzle-orm';
import type { User } from '../../src/domain/define.ts';
import type { Status, Visibility } from '../../src/domain/room.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import { until } from '../../src/timing/until.ts';
import { attendees } from '../attendees/schema.ts';
import { isoText, isoTextOrNull } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { keyOf, type Page, type PageRequest, pageOf, reading } from '../database/page.ts';
import { type WorkshopRow, workshops } from './schema.ts';

/** Times are ISO 8601 in UTC. */
export interface WorkshopView {
  id: number;
  hostId: number;
  title: string;
  description: string | null;
  visibility: Visibility;
  status: Status;
  capacity: number | null;
  scheduledAt: string;
  durationMinutes: number | null;
  startedAt: string | null;
  endedAt: string | null;
  createdAt: string;
  version: number;
}

/** Workshops that the user may see (as `isVisible` of the domain says), the newest first. */
export function listWorkshops(
  { drizzle }: Database,
  user: Pick<User, 'userId' | 'roles'>,
  { cursor, limit }: PageRequest,
): Promise<Page<WorkshopView>> {
  return reading(async () => {
    const before = keyOf(cursor);
    const own = drizzle
      .select({ one: sql`1` })
      .from(attendees)
      .where(
        and(
          eq(attendees.workshopId, workshops.id),
          eq(attendees.userId, user.userId),
          or(attendees.rsvped, attendees.invited, attendees.isCoHost, eq(attendees.status, 'removed')),
        ),
      );
    const visible =
      user.roles.length > 0
        ? undefined
        : or(eq(workshops.visibility, 'public'), eq(workshops.hostId, user.userId), exists(own));
    const rows = await drizzle
      .select()
      .from(workshops)
      .where(and(visible, before === undefined ? undefined : lt(workshops.id, before)))
      .orderBy(desc(workshops.id))
      .limit(limit + 1);
    return pageOf(rows, limit, workshopView, (row) => row.id);
  });
}

export function workshopView({ epoch: _, ...row }: WorkshopRow): WorkshopView {
  return {
    ...row,
    scheduledAt: isoText(row.scheduledAt),
    startedAt: isoTextOrNull(row.startedAt),
    endedAt: isoTextOrNull(row.endedAt),
    createdAt: isoText(row.createdAt),
  };
}

/** The last event that the workshop's tables hold; 0 where they have none. */
export function foldedVersion({ drizzle }: Database, workshopId: number): Promise<number> {
  return reading(async () => {
    const [row] = await drizzle
      .select({ version: workshops.version })
      .from(workshops)
      .where(eq(workshops.id, workshopId));
    return row?.version ?? 0;
  });
}

/** The same of many workshops; those without a row are left out. */
export function foldedVersions(
  { drizzle }: Database,
  workshopIds: readonly number[],
): Promise<Map<number, number>> {
  return reading(async () => {
    // One parameter however many they are: Postgres takes 65,534.
    const rows = await drizzle
      .select({ id: workshops.id, version: workshops.version })
      .from(workshops)
      .where(sql`${workshops.id} = any(${arrayText(workshopIds)}::text::bigint[])`);
    return new Map(rows.map(({ id, version }) => [id, version]));
  });
}

/** Resolves once the tables hold the version; `unavailable` where they don't within `timeoutMs`. */
export async function waitForVersion(
  database: Database,
  workshopId: number,
  minVersion: number,
  timeoutMs = 2_000,
): Promise<void> {
  const reached = await until(
    async () => (await foldedVersion(database, workshopId)) >= minVersion,
    timeoutMs,
  );
  if (!reached)
    throw new CodedError('unavailable', `version ${minVersion} is not in the tables yet: try again`);
}

/** When a workshop went live, as far as the tables know; milliseconds since 1970. */
export async function startOf(
  { query }: Pick<Database, 'query'>,
  workshopId: number,
): Promise<number | null> {
  const [row] = await query('select started_at from workshops where id = $1::bigint', [workshopId]);
  return (row?.started_at as number | null | undefined) ?? null;
}

/** 0 where there is no workshop. The log gives ids above it. */
export function highestWorkshopId({ drizzle }: Database): Promise<number> {
  return reading(async () => {
    const [row] = await drizzle.select({ highest: max(workshops.id) }).from(workshops);
    return row?.highest ?? 0;
  });
}
