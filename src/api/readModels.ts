/** What the REST interface reads from the database. Each read rejects with `unavailable` while the database is away. */
import { type AttendeeRecord, listAttendees } from '../../projections/attendees/queries.ts';
import { listChat } from '../../projections/chat/queries.ts';
import type { Database } from '../../projections/database.ts';
import type { Page, PageRequest } from '../../projections/page.ts';
import { retryParked } from '../../projections/parked.ts';
import { type ProjectionStatus, projectionStatus } from '../../projections/status.ts';
import { listWorkshops, type WorkshopView, waitForVersion } from '../../projections/workshops/queries.ts';
import type { User } from '../domain/define.ts';
import type { EventLog } from '../log/log.ts';
import { CodedError } from '../protocol/errors.ts';
import type { ChatView } from '../protocol/wire.ts';

export interface ReadModels {
  /** What the user may see, the newest first. */
  workshops(user: User, page: PageRequest): Promise<Page<WorkshopView>>;
  /** Everyone the workshop knows, by user id. */
  attendees(workshopId: number, page: PageRequest): Promise<Page<AttendeeRecord>>;
  /** From the first message on. */
  chat(workshopId: number, page: PageRequest): Promise<Page<ChatView>>;
  /** Resolves once the tables hold the version; `unavailable` where they don't within 2 s. */
  waitForVersion(workshopId: number, version: number): Promise<void>;
  status(): Promise<ProjectionStatus>;
  /** True once the workshop is folded again; false where it was not parked or is parked again. */
  retryParked(workshopId: number): Promise<boolean>;
}

/** How long a read of the database may take, in milliseconds. */
const patienceMs = 10_000;

export function readModels(database: Database, log: EventLog): ReadModels {
  return {
    workshops: (user, page) => inTime(listWorkshops(database, user, page)),
    attendees: (workshopId, page) => inTime(listAttendees(database, workshopId, page, log.now())),
    chat: (workshopId, page) => inTime(listChat(database, workshopId, page)),
    waitForVersion: (workshopId, version) => inTime(waitForVersion(database, workshopId, version)),
    status: () => inTime(projectionStatus(database, log)),
    retryParked: (workshopId) => inTime(retryParked(database, workshopId, { patienceMs })),
  };
}

/** A database that is frozen neither answers nor breaks the connection. */
async function inTime<T>(read: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new CodedError('unavailable', 'the database takes too long')),
      patienceMs,
    );
  });
  try {
    return await Promise.race([read, late]);
  } finally {
    clearTimeout(timer);
  }
}
