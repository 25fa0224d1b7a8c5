/**
 * A room as a snapshot keeps it. Of the chat it has ids alone: the lines are read from the events when it is used, so no text
 * outlives its deletion here. Who wrote which message and what was deleted is not in it either, since a past state takes
 * that from the present room.
 */
import { chatKept, emptyRoom, type Member, type Room } from '../../src/domain/room.ts';

/** A room that was taken up in the middle of its history: its own chat begins where `chat` ends. */
export interface ResumedRoom {
  room: Room;
  /** Ids of the messages before those that the room has, oldest first. */
  chat: readonly number[];
}

/** What a member is, as bits. */
const bits = { rsvped: 1, invited: 2, removed: 4, canSpeak: 8 } as const;

type MemberTuple = [userId: number, displayName: string | null, avatarUrl: string | null, bits: number];

type Plain = Omit<Room, 'members' | 'coHosts' | 'present' | 'hands' | 'chat' | 'authors' | 'deleted'>;

interface Kept {
  plain: Plain;
  members: MemberTuple[];
  coHosts: number[];
  present: [userId: number, joined: number][];
  hands: [userId: number, raised: number][];
  chat: number[];
}

/** Whoever changes what this writes raises `reducer`, as if the fold had changed. */
export function snapshotText({ room, chat }: ResumedRoom): string {
  const { members, coHosts, present, hands, chat: lines, authors: _, deleted: __, ...plain } = room;
  const kept: Kept = {
    plain,
    members: [...members.values()].map(memberTuple),
    coHosts: [...coHosts],
    present: [...present],
    hands: [...hands],
    chat: [...chat, ...lines.map(({ id }) => id)].slice(-chatKept),
  };
  return JSON.stringify(kept);
}

/** Throws where the text was not written by `snapshotText`. */
export function roomOf(text: string): ResumedRoom {
  const kept = JSON.parse(text) as Kept; // written above, under the same number
  const { plain, members, coHosts, present, hands, chat } = kept;
  const room: Room = {
    ...emptyRoom(plain.id),
    ...plain,
    members: new Map(members.map((tuple) => [tuple[0], memberOf(tuple)])),
    coHosts: new Set(coHosts),
    present: new Map(present),
    hands: new Map(hands),
  };
  return { room, chat };
}

function memberTuple(member: Member): MemberTuple {
  const { userId, displayName, avatarUrl } = member;
  let set = 0;
  for (const [name, bit] of Object.entries(bits)) if (member[name as keyof typeof bits]) set |= bit;
  return [userId, displayName, avatarUrl, set];
}

function memberOf([userId, displayName, avatarUrl, set]: MemberTuple): Member {
  return {
    ...{ userId, displayName, avatarUrl },
    rsvped: (set & bits.rsvped) !== 0,
    invited: (set & bits.invited) !== 0,
    removed: (set & bits.removed) !== 0,
    canSpeak: (set & bits.canSpeak) !== 0,
  };
}
