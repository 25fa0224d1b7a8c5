/**
 * Joins under way on this node (`presence.ts`, 1). Until one ended its user counts as connected here: that another socket of theirs
 * drops meanwhile must not make them awaited, or they would be recorded as gone later, with this one in the room.
 */
export interface Arrivals {
  begin(workshopId: number, userId: number): UnderWay;
  /** A socket of theirs dropped: whether a join is under way, whose end then says what becomes of it. */
  dropped(workshopId: number, userId: number): boolean;
  has(workshopId: number, userId: number): boolean;
}

export interface UnderWay {
  /**
   * What the end of this join has to see to: nothing where another one is under way, or the second time; else that the user may be
   * alone with their hold, or also that a socket of theirs dropped meanwhile.
   */
  end(): 'nothing' | 'hold' | 'drop';
}

export function arrivals(): Arrivals {
  /** By workshop and user. */
  const underWay = new Map<string, { joins: number; dropped: boolean }>();
  return {
    begin(workshopId, userId) {
      const key = `${workshopId}:${userId}`;
      const user = underWay.get(key) ?? { joins: 0, dropped: false };
      underWay.set(key, user);
      user.joins++;
      let ended = false;
      return {
        end() {
          if (ended) return 'nothing';
          ended = true;
          user.joins--;
          if (user.joins > 0) return 'nothing';
          underWay.delete(key);
          return user.dropped ? 'drop' : 'hold';
        },
      };
    },
    dropped(workshopId, userId) {
      const user = underWay.get(`${workshopId}:${userId}`);
      if (user !== undefined) user.dropped = true;
      return user !== undefined;
    },
    has: (workshopId, userId) => underWay.has(`${workshopId}:${userId}`),
  };
}
