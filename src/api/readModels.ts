/** What the REST interface reads from the database. Each read rejects with `unavailable` while the database is away. */
import { archivesOf } from '../../projections/archive/archives.ts';
import { type AttendeeRecord, listAttendees } from '../../projections/attendees/queries.ts';
import { listChat, listChatBefore } from '../../projections/chat/queries.ts';
import type { Database } from '../../projections/database/database.ts';
import type { Page, PageRequest } from '../../projections/database/page.ts';
import {
  type ErasureProgress,
  type ErasureRequest,
  erasureProgress,
  requestErasure,
} from '../../projections/erasing/request.ts';
import { type FeedPage, type FeedRequest, feedPage } from '../../projections/feed/queries.ts';
import { type Asking, retryParked } from '../../projections/parked/parked.ts';
import { type SkipOutcome, type SkipRequest, skipParked } from '../../projections/parked/skip.ts';
import { requestRebuild } from '../../projections/rebuild/request.ts';
import type { Reported } from '../../projections/verify/findings.ts';
import { type Verifying, verify } from '../../projections/verify/verify.ts';
import { type ProjectionStatus, projectionStatus } from '../../projections/worker/status.ts';
import { listWorkshops, type WorkshopView, waitForVersion } from '../../projections/workshops/queries.ts';
import type { User } from '../domain/define.ts';
import type { CheckingReplay } from '../history/checkReplay.ts';
import type { EventLog } from '../log/log.ts';
import type { ChatView } from '../protocol/wire.ts';
import { inTime } from '../timing/inTime.ts';

export interface ReadModels {
  /** What the user may see, the newest first. */
  workshops(user: User, page: PageRequest): Promise<Page<WorkshopView>>;
  /** Everyone the workshop knows, by user id. */
  attendees(workshopId: number, page: PageRequest): Promise<Page<AttendeeRecord>>;
  /** From the first message on. */
  chat(workshopId: number, page: PageRequest): Promise<Page<ChatView>>;
  /** Events of all workshops, in the order in which the tables got them. `invalid_payload` for a cursor of another log. */
  feed(request: FeedRequest): Promise<FeedPage>;
  /** The last ones before that message, the oldest of them first. */
  chatBefore(workshopId: number, asked: { before: number; limit: number }): Promise<ChatView[]>;
  /** Resolves once the tables hold the version; `unavailable` where they don't within 2 s. */
  waitForVersion(workshopId: number, version: number): Promise<void>;
  status(): Promise<ProjectionStatus>;
  /** True once the workshop is folded again; false where it was not parked or is parked again. */
  retryParked(workshopId: number): Promise<boolean>;
  /** Gives up the event at which the workshop is parked. */
  skipParked(wish: Omit<SkipRequest, keyof Asking>): Promise<SkipOutcome>;
  /** Writes down that a person is to be forgotten. */
  requestErasure(wish: ErasureRequest): Promise<void>;
  erasure(userId: number): Promise<ErasureProgress>;
  /** Resolves with the number of partitions that are to be folded anew. */
  requestRebuild(): Promise<number>;
  /** What archived workshops came to. */
  archives: CheckingReplay['archives'];
  /** The log folded anew and held against the tables. Nothing limits how long it takes but the signal. */
  verify(what: Pick<Verifying, 'workshopId' | 'signal'>): AsyncIterable<Reported>;
}

/** How long a read of the database may take, in milliseconds. */
const patienceMs = 10_000;

export function readModels(database: Database, log: EventLog): ReadModels {
  return {
    workshops: (user, page) => inTime(listWorkshops(database, user, page), patienceMs, 'the database'),
    attendees: (workshopId, page) =>
      inTime(listAttendees(database, workshopId, page, log.now()), patienceMs, 'the database'),
    chat: (workshopId, page) => inTime(listChat(database, workshopId, page), patienceMs, 'the database'),
    feed: (request) =>
      inTime(
        log.identity.read().then(({ identity }) => feedPage(database, identity ?? '', request)),
        patienceMs,
        'the database',
      ),
    chatBefore: (workshopId, asked) =>
      inTime(listChatBefore(database, workshopId, asked), patienceMs, 'the database'),
    waitForVersion: (workshopId, version) =>
      inTime(waitForVersion(database, workshopId, version), patienceMs, 'the database'),
    status: () => inTime(projectionStatus(database, log), patienceMs, 'the database'),
    retryParked: (workshopId) =>
      inTime(retryParked(database, workshopId, { patienceMs }), patienceMs, 'the database'),
    skipParked: (wish) =>
      inTime(skipParked(database, log, { ...wish, patienceMs }), patienceMs, 'the database'),
    requestErasure: (wish) => inTime(requestErasure(database, log, wish), patienceMs, 'the database'),
    erasure: (userId) => inTime(erasureProgress(database, userId), patienceMs, 'the database'),
    requestRebuild: () => inTime(requestRebuild(database), patienceMs, 'the database'),
    archives: archivesOf(database),
    verify: (what) => verify({ database, log, ...what }),
  };
}
