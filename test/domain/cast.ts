/** Who appears in the domain's tests, and the histories that most of them begin with. */
import { type EventData, events } from '../../src/domain/catalog.ts';
import type { Actor, NewEvent, User } from '../../src/domain/define.ts';
import type { Status } from '../../src/domain/room.ts';

export const system: Actor = { kind: 'system' };

function user(userId: number, displayName: string, roles: User['roles'] = []): User {
  return { kind: 'user', userId, displayName, avatarUrl: null, roles };
}

export const hanna = user(1, 'Hanna Host');
export const cora = user(2, 'Cora Co-host');
export const carl = user(3, 'Carl Co-host');
export const vera = user(4, 'Vera Speaker');
export const ana = user(5, 'Ana');
export const bo = user(6, 'Bo');
export const rui = user(7, 'Rui');
export const rex = user(8, 'Rex Removed');
export const sam = user(9, 'Sam Stranger');
export const analyst = user(10, 'Alva Analyst', ['analyst']);
export const admin = user(11, 'Adam Admin', ['admin']);

export const scheduledAt = '2026-03-02T10:00:00.000Z';

export const scheduled = (change: Partial<EventData['workshop-scheduled']> = {}): NewEvent =>
  events['workshop-scheduled'].of({
    hostId: hanna.userId,
    title: 'Drawing birds',
    description: null,
    scheduledAt,
    durationMinutes: 60,
    visibility: 'public',
    capacity: null,
    ...change,
  });

export const became = (status: Status): NewEvent => events['state-changed'].of({ status });
export const opened = became('lobby');
export const started = became('live');
export const ended = became('ended');
export const cancelled = became('cancelled');

const named = ({ userId, displayName, avatarUrl }: User) => ({ userId, displayName, avatarUrl });

export const rsvped = (who: User): NewEvent => events['user-rsvped'].of(named(who));
export const withdrew = ({ userId }: User): NewEvent => events['rsvp-withdrawn'].of({ userId });
export const invited = ({ userId }: User): NewEvent => events['user-invited'].of({ userId });

export const joined = (who: User, rights: { isCoHost?: boolean; canSpeak?: boolean } = {}): NewEvent => {
  const isHost = who === hanna;
  const { isCoHost = false, canSpeak = isHost || isCoHost } = rights;
  return events['user-joined'].of({ ...named(who), isHost, isCoHost, canSpeak });
};
export const left = ({ userId }: User, reason: 'left' | 'disconnected' = 'left'): NewEvent =>
  events['user-left'].of({ userId, reason });

export const promoted = ({ userId }: User): NewEvent =>
  events['cohost-promoted'].of({ userId, by: hanna.userId });
export const demoted = ({ userId }: User): NewEvent =>
  events['cohost-demoted'].of({ userId, by: hanna.userId });
export const removed = ({ userId }: User, by = hanna): NewEvent =>
  events['user-removed'].of({ userId, by: by.userId });
export const readmitted = ({ userId }: User, by = hanna): NewEvent =>
  events['user-readmitted'].of({ userId, by: by.userId });

export const raised = ({ userId }: User): NewEvent => events['hand-raised'].of({ userId });
export const lowered = ({ userId }: User, by?: User): NewEvent =>
  events['hand-lowered'].of({ userId, ...(by !== undefined && { by: by.userId }) });
export const approved = ({ userId }: User, by = hanna): NewEvent =>
  events['speaker-approved'].of({ userId, by: by.userId });
export const revoked = ({ userId }: User, by = hanna): NewEvent =>
  events['speaker-revoked'].of({ userId, by: by.userId });
export const muted = ({ userId }: User, by = hanna): NewEvent =>
  events['user-muted'].of({ userId, by: by.userId });
export const said = (who: User, message: string): NewEvent =>
  events['chat-message'].of({ ...named(who), message });
export const deleted = (id: number, by: User): NewEvent => events['chat-deleted'].of({ id, by: by.userId });

/** A live workshop with its host and Ana in the room; versions 1 to 5. */
export const liveRoom: readonly NewEvent[] = [scheduled(), rsvped(ana), started, joined(hanna), joined(ana)];
