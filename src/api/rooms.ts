/** Rooms as they are now, to those who may see them. A private workshop is to others what an unknown one is. */
import { isVisible, mayReadHistory } from '../domain/decide.ts';
import type { User } from '../domain/define.ts';
import { isMember, isRemoved, type Room } from '../domain/room.ts';
import type { Engine } from '../engine/engine.ts';
import { CodedError } from '../protocol/errors.ts';
import { refused } from './errors.ts';

/** Belongs to the engine: read it before anything is awaited, do not keep it. */
export interface Seen {
  room: Room;
  epoch: string;
}

export interface Rooms {
  /** Undefined where the log has no such workshop. Rejects with `unavailable` while the log is away. */
  find(workshopId: number): Promise<Seen | undefined>;
  /** To who may know of it; `not_found` to everyone else. */
  visible(workshopId: number, user: User): Promise<Seen>;
  /** To members, analysts and admins. */
  ofMembers(workshopId: number, user: User): Promise<Seen>;
  /** To host, co-hosts and analysts. */
  ofHistory(workshopId: number, user: User): Promise<Seen>;
}

export function visibleRooms(engine: Engine): Rooms {
  async function find(workshopId: number): Promise<Seen | undefined> {
    try {
      return await engine.room(workshopId);
    } catch (cause) {
      if (cause instanceof CodedError) throw cause;
      throw new CodedError('unavailable', 'the log cannot be read right now: try again', { cause });
    }
  }

  async function visible(workshopId: number, user: User): Promise<Seen> {
    const seen = await find(workshopId);
    if (seen === undefined || !isVisible(seen.room, user)) throw refused('not_found');
    return seen;
  }

  return {
    find,
    visible,
    async ofMembers(workshopId, user) {
      const seen = await visible(workshopId, user);
      if (user.roles.length === 0) requireMember(seen.room, user);
      return seen;
    },
    async ofHistory(workshopId, user) {
      const seen = await visible(workshopId, user);
      if (mayReadHistory(seen.room, user)) return seen;
      requireMember(seen.room, user);
      throw refused('forbidden');
    },
  };
}

function requireMember(room: Room, { userId }: User): void {
  if (isRemoved(room, userId)) throw refused('removed');
  if (!isMember(room, userId)) throw refused('not_a_member');
}
