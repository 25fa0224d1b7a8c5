/**
 * Whether every event of a log was its author's to cause: the log is folded, and at the version before each command's events the
 * domain is asked to decide that command again. It has to decide exactly those events. Nothing of who was told what is needed,
 * so that any log may be looked at, after whatever happened to the nodes that wrote it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CommandName } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Actor, User } from '../../src/domain/define.ts';
import { evolveAll, type RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom } from '../../src/domain/room.ts';

/** Events that their author could not have caused at the version before them. */
export interface Unrightful {
  version: number;
  type: string;
  by: number | 'system';
  /** What the domain answers to each command that could have meant them. */
  answers: string[];
}

interface Wish {
  name: CommandName;
  payload: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: the event's own schema has checked its data when it was appended
type Data = any;

/** Which commands an append that begins with an event of that type can have come from. */
const wishes: Record<string, (data: Data, all: readonly RecordedEvent[]) => Wish[]> = {
  'workshop-scheduled': ({ hostId: _, ...plan }) => [{ name: 'schedule-workshop', payload: plan }],
  'workshop-updated': (data) => [{ name: 'update-workshop', payload: data }],
  'state-changed': ({ status }) => plain(steps[status] ?? 'open-lobby'),
  'user-rsvped': () => plain('rsvp'),
  'rsvp-withdrawn': () => plain('withdraw-rsvp'),
  'user-invited': (_, all) => [
    { name: 'invite-users', payload: { userIds: all.map(({ data }) => (data as Data).userId) } },
  ],
  'user-joined': ({ userId, displayName, avatarUrl }) => [
    ...plain('join'),
    { name: 'rejoin-user', payload: { userId, displayName, avatarUrl } },
  ],
  'user-left': ({ userId }) => [...plain('leave'), { name: 'drop-user', payload: { userId } }],
  'user-removed': ({ userId, reason }) => [
    { name: 'remove-user', payload: { targetUserId: userId, reason } },
  ],
  'user-readmitted': aimed('readmit-user'),
  'cohost-promoted': aimed('promote-cohost'),
  'cohost-demoted': aimed('demote-cohost'),
  'hand-raised': () => plain('raise-hand'),
  'hand-lowered': aimed('lower-hand'),
  'speaker-approved': aimed('approve-speaker'),
  'speaker-revoked': aimed('revoke-speaker'),
  'user-muted': aimed('mute-user'),
  'chat-message': ({ message }) => [{ name: 'chat', payload: { message } }],
  'chat-deleted': ({ id }) => [
    { name: 'delete-chat', payload: { messageId: id } },
    { name: 'withdraw-message', payload: { messageId: id } },
  ],
};

const steps: Record<string, CommandName> = {
  lobby: 'open-lobby',
  live: 'start',
  ended: 'end',
  cancelled: 'cancel',
};

function plain(name: CommandName): Wish[] {
  return [{ name, payload: {} }];
}

function aimed(name: CommandName) {
  return ({ userId }: Data): Wish[] => [{ name, payload: { targetUserId: userId } }];
}

/** Empty where all is as it should be. `roles` says who is analyst or admin; nobody is, if it is left out. */
export function unrightful(
  workshopId: number,
  events: readonly RecordedEvent[],
  roles: (userId: number) => User['roles'] = () => [],
): Unrightful[] {
  const room = emptyRoom(workshopId);
  const found: Unrightful[] = [];
  for (const append of appends(events)) {
    const [first] = append;
    if (first === undefined) continue;
    const { version, type, by } = first;
    const actor = actorOf(first, roles);
    const answers = (wishes[type]?.(first.data, append) ?? []).map(({ name, payload }) => {
      const decision = decide(room, { name, payload, actor });
      if (decision.kind !== 'append')
        return `${name}: ${decision.kind === 'refused' ? decision.code : 'unchanged'}`;
      return isSame(decision.events, append) ? 'ok' : `${name}: other events`;
    });
    if (!answers.includes('ok')) found.push({ version, type, by, answers });
    evolveAll(room, append);
  }
  return found;
}

/** The events of one command: they stand together and bear its id. */
function appends(events: readonly RecordedEvent[]): RecordedEvent[][] {
  const groups: RecordedEvent[][] = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (last?.[0]?.commandId === event.commandId) last.push(event);
    else groups.push([event]);
  }
  return groups;
}

/** Who they were by their token is in the event where it matters to it: a name, a picture. */
function actorOf({ by, data }: RecordedEvent, roles: (userId: number) => User['roles']): Actor {
  if (by === 'system') return { kind: 'system' };
  const { userId, displayName = '', avatarUrl = null } = data as Partial<User>;
  const named = userId === by ? { displayName, avatarUrl } : { displayName: '', avatarUrl: null };
  return { kind: 'user', userId: by, ...named, roles: roles(by) };
}

function isSame(
  decided: readonly { type: string; data: unknown }[],
  recorded: readonly RecordedEvent[],
): boolean {
  const plainly = ({ type, data }: { type: string; data: unknown }) => ({ type, data });
  return isDeepStrictEqual(
    JSON.parse(JSON.stringify(decided.map(plainly))),
    JSON.parse(JSON.stringify(recorded.map(plainly))),
  );
}
