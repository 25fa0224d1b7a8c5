/**
 * C5: the log folds without a refusal, and whoever is named in an event had the right to it at the version before. Told from
 * the contract's tables, without any code of the domain. Types that are not known here are passed over.
 */
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import type { Report } from './history.ts';

interface Law {
  status: string;
  isPrivate: boolean;
  capacity: number | null;
  host: number;
  coHosts: Set<number>;
  rsvped: Set<number>;
  invited: Set<number>;
  removed: Set<number>;
  present: Set<number>;
  hands: Set<number>;
  authors: Map<number, number>;
  deleted: Set<number>;
}

/** What an event's data may hold that decides on rights. */
interface Told {
  userId?: number;
  by?: number;
  id?: number;
  hostId?: number;
  visibility?: string;
  capacity?: number | null;
  status?: string;
}

type Author = number | 'system';

const before = ['scheduled', 'lobby'];
const floor = ['lobby', 'live'];
const open = ['scheduled', 'lobby', 'live'];

export function checkLawful(
  events: readonly RecordedEvent[],
  admins: ReadonlySet<number>,
  report: Report,
): void {
  const law: Law = {
    ...{ status: 'none', isPrivate: false, capacity: null, host: 0, coHosts: new Set(), rsvped: new Set() },
    ...{ invited: new Set(), removed: new Set(), present: new Set(), hands: new Set() },
    ...{ authors: new Map(), deleted: new Set() },
  };
  for (const event of events) {
    const told = event.data as Told;
    const wrong = whatIsWrong(law, event, told, admins);
    if (wrong !== undefined) report(`version ${event.version}, ${event.type} by ${event.by}: ${wrong}`);
    apply(law, event, told);
  }
}

/** The first rule that the event breaks, in words. */
function whatIsWrong(
  law: Law,
  { type, by, version }: RecordedEvent,
  told: Told,
  admins: ReadonlySet<number>,
): string | undefined {
  const user = told.userId ?? 0;
  const isHost = by === law.host;
  const moderates = isHost || (by !== 'system' && law.coHosts.has(by));
  const isOwn = by === user;
  const within = (statuses: readonly string[]) =>
    statuses.includes(law.status) ? undefined : `the workshop is ${law.status}`;
  const needs = (holds: boolean, what: string) => (holds ? undefined : what);
  const moderator = () => needs(moderates, 'neither host nor co-host');
  /** Nobody does such a thing to the host, and only the host to a co-host. */
  const spared = () => needs(user !== law.host && (isHost || !law.coHosts.has(user)), `not on user ${user}`);
  const known = () => needs(isMember(law, user), `user ${user} is no member`);
  const here = () => needs(by !== 'system' && law.present.has(by), 'not in the room');

  if ((version === 1) !== (type === 'workshop-scheduled')) return 'the first event alone schedules';
  if (by !== 'system' && law.removed.has(by) && !admins.has(by)) return 'was removed';
  switch (type) {
    case 'workshop-scheduled':
      return needs(by === told.hostId, 'not the host');
    case 'workshop-updated':
      return within(before) ?? needs(isHost, 'not the host');
    case 'state-changed':
      return stateChange(law, by, moderates, told.status ?? '');
    case 'user-rsvped':
      return (
        within(open) ??
        needs(isOwn, 'for someone else') ??
        needs(!law.isPrivate || isMember(law, user), 'not invited')
      );
    case 'rsvp-withdrawn':
      return (
        within(open) ??
        needs(isOwn && law.rsvped.has(user), 'no RSVP') ??
        needs(!law.present.has(user), 'present')
      );
    case 'user-invited':
      return within(open) ?? moderator();
    case 'user-joined':
      return (
        within(open) ??
        needs(isOwn || by === 'system', 'for someone else') ??
        known() ??
        needs(!law.removed.has(user), 'was removed') ??
        needs(!law.present.has(user), 'is there already') ??
        needs(by === 'system' || hasSeat(law, user), `more than ${law.capacity} present`)
      );
    case 'user-left':
      return (
        needs(isOwn || by === 'system', 'for someone else') ?? needs(law.present.has(user), 'is not there')
      );
    case 'user-removed':
      return within(open) ?? moderator() ?? spared() ?? needs(!law.removed.has(user), 'is removed already');
    case 'user-readmitted':
      return within(open) ?? moderator() ?? needs(law.removed.has(user), 'was not removed');
    case 'cohost-promoted':
      return (
        within(open) ??
        needs(isHost && user !== law.host, 'not the host') ??
        known() ??
        needs(!law.coHosts.has(user), 'is one already')
      );
    case 'cohost-demoted':
      return within(open) ?? needs(isHost, 'not the host') ?? needs(law.coHosts.has(user), 'is none');
    case 'hand-raised':
      return (
        within(floor) ?? needs(isOwn, 'for someone else') ?? here() ?? needs(!law.hands.has(user), 'is up')
      );
    case 'hand-lowered':
      return (
        within(floor) ??
        needs(isOwn || moderates, 'for someone else') ??
        needs(law.hands.has(user), 'is down')
      );
    case 'speaker-approved':
      return within(floor) ?? moderator() ?? known() ?? needs(user !== law.host, 'on the host');
    case 'speaker-revoked':
    case 'user-muted':
      return within(floor) ?? moderator() ?? known() ?? spared();
    case 'chat-message':
      return within(floor) ?? needs(isOwn, 'for someone else') ?? here();
    case 'chat-deleted':
      return deletion(law, by, moderates || (by !== 'system' && admins.has(by)), told.id ?? 0);
    default:
      return undefined;
  }
}

function stateChange(law: Law, by: Author, moderates: boolean, status: string): string | undefined {
  const byHost = by === law.host || by === 'system';
  const steps: Record<string, { from: readonly string[]; may: boolean }> = {
    lobby: { from: ['scheduled'], may: byHost },
    live: { from: before, may: moderates },
    ended: { from: ['live'], may: moderates || by === 'system' },
    cancelled: { from: before, may: byHost },
  };
  const step = steps[status];
  if (step === undefined) return `to ${status}`;
  if (!step.from.includes(law.status)) return `from ${law.status} to ${status}`;
  return step.may ? undefined : 'not allowed';
}

function deletion(law: Law, by: Author, anyones: boolean, id: number): string | undefined {
  const author = law.authors.get(id);
  if (author === undefined) return `there is no message ${id}`;
  if (law.deleted.has(id)) return `message ${id} is deleted already`;
  return anyones || author === by ? undefined : `message ${id} is not theirs`;
}

function isMember(law: Law, user: number): boolean {
  return (
    user === law.host ||
    law.coHosts.has(user) ||
    law.present.has(user) ||
    (!law.removed.has(user) && (law.rsvped.has(user) || law.invited.has(user)))
  );
}

function hasSeat(law: Law, user: number): boolean {
  if (law.capacity === null || user === law.host || law.coHosts.has(user)) return true;
  const seats = [...law.present].filter((each) => each !== law.host && !law.coHosts.has(each));
  return seats.length < law.capacity;
}

function apply(law: Law, { type, version }: RecordedEvent, told: Told): void {
  const user = told.userId ?? 0;
  switch (type) {
    case 'workshop-scheduled':
      law.status = 'scheduled';
      law.host = told.hostId ?? 0;
      law.isPrivate = told.visibility === 'private';
      law.capacity = told.capacity ?? null;
      return;
    case 'workshop-updated':
      if (told.capacity !== undefined) law.capacity = told.capacity;
      return;
    case 'state-changed':
      law.status = told.status ?? '';
      if (law.status === 'ended' || law.status === 'cancelled') {
        law.present.clear();
        law.hands.clear();
      }
      return;
    case 'user-rsvped':
      return void law.rsvped.add(user);
    case 'rsvp-withdrawn':
      return void law.rsvped.delete(user);
    case 'user-invited':
      return void law.invited.add(user);
    case 'user-joined':
      return void law.present.add(user);
    case 'user-left':
      return void leave(law, user);
    case 'user-removed':
      leave(law, user);
      law.coHosts.delete(user);
      return void law.removed.add(user);
    case 'user-readmitted':
      return void law.removed.delete(user);
    case 'cohost-promoted':
      return void law.coHosts.add(user);
    case 'cohost-demoted':
      return void law.coHosts.delete(user);
    case 'hand-raised':
      return void law.hands.add(user);
    case 'hand-lowered':
      return void law.hands.delete(user);
    case 'chat-message':
      return void law.authors.set(version, user);
    case 'chat-deleted':
      return void law.deleted.add(told.id ?? 0);
  }
}

function leave(law: Law, user: number): void {
  law.present.delete(user);
  law.hands.delete(user);
}
