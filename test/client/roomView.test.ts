/** The client's view against the server's own: at every version of many random histories they say the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyEvent,
  applyStretch,
  messagesHeld,
  type RoomView,
  roomView,
  withPage,
} from '../../src/client/roomView.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { chatKept, type Room } from '../../src/domain/room.ts';
import { attendeesPage, type LooseEvent, stateView, wireEvent } from '../../src/protocol/wire.ts';
import { attempts, history, livedThrough, person } from './histories.ts';

const seed = 20_260_101;

/** The view as a state would tell it: a view may hold more of the past. */
function asState(view: RoomView): RoomView {
  return { ...view, chat: view.chat.slice(-chatKept) };
}

function serverView(room: Room, limit?: number): RoomView {
  return roomView(structuredClone(stateView(room, 'first', limit)));
}

describe('a room view', () => {
  it('equals the server’s state at every version, whichever version it started from', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(attempts, (tries) => {
        const views: RoomView[] = [];
        let told = 0;
        livedThrough(tries, (room, events) => {
          const fresh = events.slice(told).map((event) => wireEvent(event, room));
          told = events.length;
          for (const [index, view] of views.entries()) {
            const next = fresh.reduce<RoomView | undefined>((so, event) => so && applyEvent(so, event), view);
            if (next === undefined) throw new Error('a gap in a whole history');
            expect(asState(next)).toEqual(serverView(room));
            views[index] = next;
          }
          for (const event of fresh) seen.add(event.type);
          if (views.length < 4) views.push(serverView(room));
        });
      }),
      { seed, numRuns: 150 },
    );
    // A property that never met an event says nothing about it.
    expect([...seen].sort()).toEqual(
      [
        'chat-deleted',
        'chat-message',
        'cohost-demoted',
        'cohost-promoted',
        'hand-lowered',
        'hand-raised',
        'rsvp-withdrawn',
        'speaker-approved',
        'speaker-revoked',
        'state-changed',
        'user-invited',
        'user-joined',
        'user-left',
        'user-muted',
        'user-readmitted',
        'user-removed',
        'user-rsvped',
        'workshop-scheduled',
        'workshop-updated',
      ].sort(),
    );
  });

  it('is the same for a batch as for its events one by one', () => {
    fc.assert(
      fc.property(attempts, fc.integer({ min: 1, max: 9 }), (tries, size) => {
        let start: RoomView | undefined;
        const past = livedThrough(tries, (room) => {
          start ??= serverView(room);
        });
        if (start === undefined) throw new Error('nothing happened');
        let view = start;
        for (let from = view.version; from < past.events.length; from += size) {
          // Each batch overlaps the one before by an event.
          const events = past.events.slice(from - 1, from + size).map((event) => wireEvent(event, past.room));
          const next = applyStretch(view, { from, to: from + events.length - 1, events });
          if (next === undefined) throw new Error('a gap where there is none');
          view = next;
        }
        expect(asState(view)).toEqual(serverView(past.room));
      }),
      { seed, numRuns: 60 },
    );
  });

  it('keeps the count and whoever it lists right in a room that is larger than the list', () => {
    let compared = 0;
    fc.assert(
      fc.property(attempts, (tries) => {
        let view: RoomView | undefined;
        const follow = (room: Room, events: RecordedEvent[]) => {
          if (view === undefined) {
            if (room.present.size > 4) view = serverView(room, 2);
            return;
          }
          for (const event of events.slice(view.version)) {
            // Whether someone unlisted was present when removed is the one thing that nobody tells: start anew.
            const { userId } = event.data as { userId?: number };
            const listed: boolean = view.attendees.some((attendee) => attendee.userId === userId);
            const unknowable: boolean = event.type === 'user-removed' && !listed;
            view = unknowable ? serverView(room, 2) : (applyEvent(view, wireEvent(event, room)) ?? view);
          }
          const everyone = serverView(room).attendees;
          // Listed is some of who is present, in their order, and told rightly.
          const ids = new Set(view.attendees.map((attendee) => attendee.userId));
          expect(view.attendees).toEqual(everyone.filter((attendee) => ids.has(attendee.userId)));
          expect(view.attendeeCount).toBe(everyone.length);
          if (view.attendees.length < everyone.length) compared++;
        };
        livedThrough(tries, follow, { crowd: 5 });
      }),
      { seed, numRuns: 60 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it('lists everyone in the order of joining once all pages are in, with people coming and going meanwhile', () => {
    const past = history();
    past.attempt('schedule-workshop', person(1), { title: 'Weaving', scheduledAt: '2026-01-01T12:00:00Z' });
    for (let userId = 2; userId <= 30; userId++) past.attempt('rsvp', person(userId), {});
    for (let userId = 1; userId <= 20; userId++) past.attempt('join', person(userId), {});
    let view = serverView(past.room, 4);
    const walked = new Set<number>();
    let cursor = 0;
    const meanwhile: [string, number][][] = [
      [
        ['leave', 2],
        ['join', 21],
      ],
      [
        ['join', 2],
        ['leave', 7],
      ],
      [
        ['leave', 15],
        ['join', 22],
      ],
      [
        ['join', 7],
        ['leave', 3],
      ],
    ];
    for (;;) {
      const page = attendeesPage(past.room, cursor, 4);
      expect(page.version).toBe(view.version);
      view = withPage(view, walked, page.items);
      for (const { userId } of page.items) walked.add(userId);
      for (const [name, userId] of meanwhile.shift() ?? [])
        past.attempt(name as 'join' | 'leave', person(userId), {});
      for (const event of past.events.slice(view.version))
        view = applyEvent(view, wireEvent(event, past.room)) ?? view;
      if (page.nextCursor === null) break;
      cursor = Number(page.nextCursor);
    }
    expect(view.attendees).toEqual(serverView(past.room).attendees);
    expect(view.attendees.length).toBe(view.attendeeCount);
  });
});

describe('what a room view does not know', () => {
  const view: RoomView = {
    workshopId: 1,
    version: 10,
    epoch: 'first',
    status: 'live',
    title: 'Weaving',
    hostId: 1,
    coHostIds: [],
    startedAt: '2026-01-01T12:00:00.000Z',
    endedAt: null,
    scheduledAt: '2026-01-01T12:00:00.000Z',
    attendees: [
      { userId: 1, displayName: 'Ada', avatarUrl: null, isHost: true, isCoHost: false, canSpeak: true },
    ],
    attendeeCount: 1,
    raisedHands: [],
    chat: [],
  };
  const at = '2026-01-01T12:01:00.000Z';
  const raised = (version: number): LooseEvent => ({ version, type: 'hand-raised', at, userId: 1 });

  it('passes over an event of a type it does not know, and counts its version', () => {
    expect(applyEvent(view, { version: 11, type: 'poll-opened', at, raisedHands: [1] })).toEqual({
      ...view,
      version: 11,
    });
  });

  it('ignores fields it does not know, in states and in events', () => {
    expect(roomView({ ...structuredClone(view), theme: 'dark' } as RoomView)).toEqual(view);
    const joined = { version: 11, type: 'user-joined', at, userId: 2, displayName: 'Bo', avatarUrl: null };
    const next = applyEvent(view, {
      ...joined,
      isHost: false,
      isCoHost: false,
      canSpeak: false,
      mood: 'glad',
    });
    expect(next?.attendees[1]).toEqual({
      userId: 2,
      displayName: 'Bo',
      avatarUrl: null,
      isHost: false,
      isCoHost: false,
      canSpeak: false,
    });
  });

  it('stays the very same object for versions it has seen', () => {
    expect(applyEvent(view, raised(10))).toBe(view);
    expect(applyEvent(view, raised(3))).toBe(view);
    expect(applyStretch(view, { from: 8, to: 10, events: [raised(8), raised(9), raised(10)] })).toBe(view);
  });

  it('tells a gap from an event that follows', () => {
    expect(applyEvent(view, raised(12))).toBeUndefined();
    expect(applyStretch(view, { from: 12, to: 12, events: [raised(12)] })).toBeUndefined();
    expect(applyEvent(view, raised(11))?.raisedHands).toEqual([1]);
  });

  it('believes the bounds of a batch that leaves events out, and its count of attendees', () => {
    const next = applyStretch(view, { from: 11, to: 15, events: [raised(13)], attendeeCount: 4 });
    expect(next).toMatchObject({ version: 15, raisedHands: [1], attendeeCount: 4 });
  });

  it('keeps the lists that an event does not change', () => {
    const next = applyEvent(view, raised(11));
    expect(next?.attendees).toBe(view.attendees);
    expect(next?.chat).toBe(view.chat);
  });

  it('holds a bounded number of messages', () => {
    let next: RoomView = view;
    for (let version = 11; version < 11 + messagesHeld + 20; version++) {
      const line = {
        id: version,
        userId: 1,
        displayName: 'Ada',
        avatarUrl: null,
        message: 'hm',
        offset_ms: 0,
      };
      next = applyEvent(next, { version, type: 'chat-message', at, createdAt: at, ...line }) ?? next;
    }
    expect(next.chat.length).toBe(messagesHeld);
    expect(next.chat.at(-1)?.id).toBe(10 + messagesHeld + 20);
  });
});
