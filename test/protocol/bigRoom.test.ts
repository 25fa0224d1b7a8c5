/** A room of more attendees than a state lists: what is listed, and how the rest is paged. */
import { describe, expect, test } from 'vitest';
import type { User } from '../../src/domain/define.ts';
import { evolve } from '../../src/domain/evolve.ts';
import {
  type Attendee,
  attendeesPage,
  attendeesPerPage,
  stateAttendees,
  stateView,
} from '../../src/protocol/wire.ts';
import {
  ana,
  bo,
  cora,
  hanna,
  joined,
  left,
  promoted,
  raised,
  rsvped,
  scheduled,
  started,
} from '../domain/cast.ts';
import { recorded, roomAfter } from '../domain/given.ts';

describe('a big room', () => {
  /** 1,200 attendees, then the host, a co-host and one with a raised hand. */
  const crowd = Array.from({ length: 1_200 }, (_, index): User => ({ ...ana, userId: 1_000 + index }));
  const room = roomAfter(
    scheduled(),
    ...[...crowd, bo, cora].map(rsvped),
    promoted(cora),
    started,
    ...crowd.map((who) => joined(who)),
    joined(hanna),
    joined(cora, { isCoHost: true }),
    joined(bo),
    raised(bo),
  );
  const ids = (attendees: readonly Attendee[]) => attendees.map(({ userId }) => userId);

  function pages(limit: number) {
    const found: number[][] = [];
    let after = 0;
    for (;;) {
      const page = attendeesPage(room, after, limit);
      expect(page.version).toBe(room.version);
      found.push(ids(page.items));
      if (page.nextCursor === null) return found;
      after = Number(page.nextCursor);
    }
  }

  test('its state lists the first 500, and host, co-hosts and raised hands beyond', () => {
    const { attendees, attendeeCount } = stateView(room, 'e1');
    expect(stateAttendees).toBe(500);
    expect(attendeeCount).toBe(1_203);
    expect(ids(attendees)).toEqual([
      ...crowd.slice(0, 500).map(({ userId }) => userId),
      hanna.userId,
      cora.userId,
      bo.userId,
    ]);
  });

  test('its past states list everyone', () => {
    expect(stateView(room, 'e1', Number.POSITIVE_INFINITY).attendees).toHaveLength(1_203);
  });

  test('comes page by page, in the order of joining, nobody missing and nobody twice', () => {
    const found = pages(attendeesPerPage);
    expect(found.map((page) => page.length)).toEqual([500, 500, 203]);
    expect(found.flat()).toEqual([...room.present.keys()]);
  });

  test('a last page that is full has no cursor', () => {
    expect(pages(401).map((page) => page.length)).toEqual([401, 401, 401]);
    expect(attendeesPage(room, room.version, 500)).toMatchObject({ items: [], nextCursor: null });
  });

  test('who leaves and comes back between two pages is found at the end', () => {
    const [first, second] = crowd;
    if (first === undefined || second === undefined) throw new Error('a crowd is more than two');
    const moved = structuredClone(room);
    evolve(moved, recorded(left(second), room.version + 1));
    evolve(moved, recorded(joined(second), room.version + 2));
    const page = attendeesPage(moved, Number(attendeesPage(room, 0, 1_202).nextCursor), 500);
    expect(ids(page.items)).toEqual([bo.userId, second.userId]);
    expect(ids(attendeesPage(moved, 0, 1).items)).toEqual([first.userId]);
  });
});
