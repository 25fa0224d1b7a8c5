/**
 * A room as text, so that it can be kept somewhere and taken up again. Kept under the number of the fold that made it: what
 * another fold made is not used.
 */
import { reducer } from './evolve.ts';
import { type ChatLine, emptyRoom, type Member, type Room } from './room.ts';

/** What a member is, as bits. */
const bits = { rsvped: 1, invited: 2, removed: 4, canSpeak: 8 } as const;

type MemberTuple = [userId: number, displayName: string | null, avatarUrl: string | null, bits: number];

type Plain = Omit<Room, 'members' | 'coHosts' | 'present' | 'hands' | 'chat' | 'authors' | 'deleted'>;

/** All of a room but what was said in it. */
export interface StoredRoom {
  plain: Plain;
  members: MemberTuple[];
  coHosts: number[];
  present: [userId: number, joined: number][];
  hands: [userId: number, raised: number][];
}

interface StoredWithChat extends StoredRoom {
  reducer: number;
  chat: ChatLine[];
  authors: [message: number, userId: number][];
  deleted: number[];
}

/** Whoever changes what this and the next write raises `reducer`, as if the fold had changed. */
export function storedRoom(room: Readonly<Room>): StoredRoom {
  const { members, coHosts, present, hands, chat: _, authors: __, deleted: ___, ...plain } = room;
  return {
    plain,
    members: [...members.values()].map(memberTuple),
    coHosts: [...coHosts],
    present: [...present],
    hands: [...hands],
  };
}

/** With everything: whoever keeps it has to let go of it when something is taken out of the workshop's events. */
export function roomText(room: Readonly<Room>): string {
  const stored: StoredWithChat = {
    reducer,
    ...storedRoom(room),
    chat: room.chat,
    authors: [...room.authors],
    deleted: [...room.deleted],
  };
  return JSON.stringify(stored);
}

/** A room of which nothing was said. */
export function restoredRoom({ plain, members, coHosts, present, hands }: StoredRoom): Room {
  return {
    ...emptyRoom(plain.id),
    ...plain,
    members: new Map(members.map((tuple) => [tuple[0], memberOf(tuple)])),
    coHosts: new Set(coHosts),
    present: new Map(present),
    hands: new Map(hands),
  };
}

/** Undefined where another fold made it. Throws where the text was not written by `roomText`. */
export function roomOfText(text: string): Room | undefined {
  const stored = JSON.parse(text) as StoredWithChat; // written above, under the same number
  if (stored.reducer !== reducer) return undefined;
  const { chat, authors, deleted } = stored;
  return { ...restoredRoom(stored), chat, authors: new Map(authors), deleted: new Set(deleted) };
}

function memberTuple(member: Member): MemberTuple {
  const { userId, displayName, avatarUrl } = member;
  let set = 0;
  for (const [name, bit] of Object.entries(bits)) if (member[name as keyof typeof bits]) set |= bit;
  return [userId, displayName, avatarUrl, set];
}

function memberOf([userId, displayName, avatarUrl, set]: MemberTuple): Member {
  return {
    userId,
    displayName,
    avatarUrl,
    rsvped: (set & bits.rsvped) !== 0,
    invited: (set & bits.invited) !== 0,
    removed: (set & bits.removed) !== 0,
    canSpeak: (set & bits.canSpeak) !== 0,
  };
}
