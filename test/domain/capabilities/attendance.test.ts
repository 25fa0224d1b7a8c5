/** Joining, leaving, being dropped, removed and readmitted. */
import { describe, expect, test } from 'vitest';
import type { NewEvent } from '../../../src/domain/define.ts';
import { seatsTaken } from '../../../src/domain/room.ts';
import {
  ana,
  analyst,
  approved,
  bo,
  cancelled,
  cora,
  demoted,
  ended,
  hanna,
  invited,
  joined,
  left,
  liveRoom,
  promoted,
  raised,
  readmitted,
  removed,
  rsvped,
  rui,
  sam,
  scheduled,
  started,
  system,
  withdrew,
} from '../cast.ts';
import { given, roomAfter } from '../given.ts';

const at = ({ userId }: { userId: number }) => ({ targetUserId: userId });

describe('join', () => {
  test('the event carries the whole attendee record', () => {
    given(scheduled()).when('join', {}, hanna).then(joined(hanna));
    given(scheduled(), rsvped(ana), promoted(ana))
      .when('join', {}, ana)
      .then(joined(ana, { isCoHost: true }));
    given(...liveRoom, approved(ana), left(ana))
      .when('join', {}, ana)
      .then(joined(ana, { canSpeak: true }));
  });

  test('takes name and picture from the token, whatever they were at the RSVP', () => {
    const renamed = { ...ana, displayName: 'Ana Maria', avatarUrl: 'https://example.org/ana.png' };
    const room = given(scheduled(), rsvped(ana)).when('join', {}, renamed).then(joined(renamed));
    expect(room.members.get(ana.userId)).toMatchObject({
      displayName: 'Ana Maria',
      avatarUrl: 'https://example.org/ana.png',
    });
  });

  test('is open to who was invited, and while the workshop is only scheduled', () => {
    given(scheduled({ visibility: 'private' }), invited(ana))
      .when('join', {}, ana)
      .then(joined(ana));
  });

  test('joining again appends nothing', () => {
    given(...liveRoom)
      .when('join', {}, ana)
      .changesNothing();
  });

  test('strangers have to RSVP first, analysts too', () => {
    given(...liveRoom)
      .when('join', {}, sam)
      .refuses('not_a_member');
    given(...liveRoom)
      .when('join', {}, analyst)
      .refuses('not_a_member');
  });

  test('who was removed stays out until readmitted', () => {
    given(...liveRoom, removed(ana))
      .when('join', {}, ana)
      .refuses('removed');
    given(...liveRoom, removed(ana), readmitted(ana))
      .when('join', {}, ana)
      .then(joined(ana));
  });

  test('nobody joins what is over', () => {
    given(...liveRoom, ended)
      .when('join', {}, ana)
      .refuses('invalid_state');
    given(scheduled(), cancelled).when('join', {}, hanna).refuses('invalid_state');
  });
});

describe('capacity', () => {
  const small = (...events: NewEvent[]) => [
    scheduled({ capacity: 1 }),
    ...[ana, bo, cora].map(rsvped),
    started,
    ...events,
  ];

  test('is how many may be present at once', () => {
    given(...small())
      .when('join', {}, ana)
      .then(joined(ana));
    given(...small(joined(ana)))
      .when('join', {}, bo)
      .refuses('workshop_full');
    given(...small(joined(ana), left(ana)))
      .when('join', {}, bo)
      .then(joined(bo));
  });

  test('does not count host and co-hosts, nor stop them', () => {
    const hosts = [promoted(cora), joined(hanna), joined(cora, { isCoHost: true })];
    given(...small(...hosts))
      .when('join', {}, ana)
      .then(joined(ana));
    given(...small(joined(ana)))
      .when('join', {}, hanna)
      .then(joined(hanna));
    given(...small(promoted(cora), joined(ana)))
      .when('join', {}, cora)
      .then(joined(cora, { isCoHost: true }));
  });

  test('a promotion frees a seat, a demotion takes one', () => {
    given(...small(joined(ana), promoted(ana)))
      .when('join', {}, bo)
      .then(joined(bo));
    given(...small(promoted(cora), joined(cora, { isCoHost: true }), demoted(cora)))
      .when('join', {}, bo)
      .refuses('workshop_full');
  });

  test('who is present may join again in a full room', () => {
    given(...small(joined(ana)))
      .when('join', {}, ana)
      .changesNothing();
  });

  test('is ignored where the system lets someone in again who is still connected', () => {
    const { userId, displayName, avatarUrl } = bo;
    const room = given(...small(joined(ana)))
      .when('rejoin-user', { userId, displayName, avatarUrl }, system)
      .then(joined(bo));
    expect(seatsTaken(room)).toBe(2);
  });
});

describe('leave', () => {
  test('ends presence and hand; speaking and co-hosting stay', () => {
    const room = given(...liveRoom, promoted(ana), raised(ana))
      .when('leave', {}, ana)
      .then(left(ana));
    expect(room.present.has(ana.userId)).toBe(false);
    expect(room.hands.size).toBe(0);
    expect(room.coHosts.has(ana.userId)).toBe(true);
    expect(room.members.get(ana.userId)?.canSpeak).toBe(true);
  });

  test('leaving a room one is not in is not_joined, also after the end', () => {
    given(...liveRoom, left(ana))
      .when('leave', {}, ana)
      .refuses('not_joined');
    given(...liveRoom, ended)
      .when('leave', {}, ana)
      .refuses('not_joined');
    given(scheduled(), cancelled).when('leave', {}, hanna).refuses('not_joined');
  });
});

describe('the system’s own coming and going', () => {
  const rejoin = ({ userId, displayName, avatarUrl }: typeof ana) => ({ userId, displayName, avatarUrl });

  test('a drop is recorded as disconnected, once', () => {
    given(...liveRoom)
      .when('drop-user', { userId: ana.userId }, system)
      .then(left(ana, 'disconnected'));
    given(...liveRoom, left(ana))
      .when('drop-user', { userId: ana.userId }, system)
      .changesNothing();
  });

  test('joining again brings back who is not present, with their rights', () => {
    given(...liveRoom, approved(ana), left(ana, 'disconnected'))
      .when('rejoin-user', rejoin(ana), system)
      .then(joined(ana, { canSpeak: true }));
    given(...liveRoom)
      .when('rejoin-user', rejoin(ana), system)
      .changesNothing();
  });

  test('joining again brings back neither who was removed nor who withdrew', () => {
    given(...liveRoom, removed(ana))
      .when('rejoin-user', rejoin(ana), system)
      .changesNothing();
    given(...liveRoom, left(ana), withdrew(ana))
      .when('rejoin-user', rejoin(ana), system)
      .changesNothing();
  });

  test('nothing of it happens after the end', () => {
    given(...liveRoom, ended)
      .when('drop-user', { userId: ana.userId }, system)
      .refuses('invalid_state');
    given(...liveRoom, ended)
      .when('rejoin-user', rejoin(ana), system)
      .refuses('invalid_state');
  });
});

describe('remove-user', () => {
  test('ends presence, hand, speaking and co-hosting in one event', () => {
    const room = given(...liveRoom, promoted(ana), raised(ana))
      .when('remove-user', at(ana), hanna)
      .then(removed(ana));
    expect(room.present.has(ana.userId)).toBe(false);
    expect(room.hands.size).toBe(0);
    expect(room.coHosts.size).toBe(0);
    expect(room.members.get(ana.userId)?.canSpeak).toBe(false);
  });

  test('carries the reason where one was given', () => {
    given(...liveRoom)
      .when('remove-user', { ...at(ana), reason: ' spam ' }, hanna)
      .then({ type: 'user-removed', data: { userId: ana.userId, by: hanna.userId, reason: 'spam' } });
  });

  test('removes members who are not in the room', () => {
    given(...liveRoom, rsvped(rui))
      .when('remove-user', at(rui), hanna)
      .then(removed(rui));
  });

  test('removing who was removed appends nothing', () => {
    given(...liveRoom, removed(ana))
      .when('remove-user', at(ana), hanna)
      .changesNothing();
  });

  test('what the removed user sends is answered with removed', () => {
    for (const name of ['raise-hand', 'leave', 'join', 'rsvp'] as const)
      given(...liveRoom, removed(ana))
        .when(name, {}, ana)
        .refuses('removed');
  });
});

describe('readmit-user', () => {
  test('lets someone join again, as a plain attendee', () => {
    const room = given(...liveRoom, approved(ana), removed(ana))
      .when('readmit-user', at(ana), hanna)
      .then(readmitted(ana));
    expect(room.members.get(ana.userId)).toMatchObject({ removed: false, canSpeak: false });
    expect(room.present.has(ana.userId)).toBe(false);
  });

  test('lets in who had been a co-host with neither RSVP nor invitation left', () => {
    given(scheduled(), rsvped(cora), promoted(cora), withdrew(cora), removed(cora), readmitted(cora))
      .when('join', {}, cora)
      .then(joined(cora));
  });

  test('readmitting who was not removed appends nothing, and strangers are not found', () => {
    given(...liveRoom)
      .when('readmit-user', at(ana), hanna)
      .changesNothing();
    given(...liveRoom)
      .when('readmit-user', at(sam), hanna)
      .refuses('target_not_found');
  });
});

describe('presence in the room', () => {
  test('is listed in the order of joining, and who comes back is last', () => {
    const room = roomAfter(...liveRoom, rsvped(bo), joined(bo), left(ana), joined(ana));
    expect([...room.present.keys()]).toEqual([hanna.userId, bo.userId, ana.userId]);
  });
});
