/** Raising and lowering hands. */
import { describe, expect, test } from 'vitest';
import {
  ana,
  approved,
  bo,
  cora,
  ended,
  hanna,
  joined,
  left,
  liveRoom,
  lowered,
  promoted,
  raised,
  removed,
  rsvped,
  rui,
  sam,
  scheduled,
  started,
} from '../cast.ts';
import { given, roomAfter } from '../given.ts';

describe('raise-hand', () => {
  test('an attendee who is in the room raises a hand', () => {
    const room = given(...liveRoom)
      .when('raise-hand', {}, ana)
      .then(raised(ana));
    expect([...room.hands.keys()]).toEqual([ana.userId]);
  });

  test('the host may raise a hand too', () => {
    given(...liveRoom)
      .when('raise-hand', {}, hanna)
      .then(raised(hanna));
  });

  test('raising a raised hand appends nothing', () => {
    given(...liveRoom, raised(ana))
      .when('raise-hand', {}, ana)
      .changesNothing();
  });

  test('who RSVP’d and did not join has to join first', () => {
    given(...liveRoom, rsvped(rui))
      .when('raise-hand', {}, rui)
      .refuses('not_joined');
  });

  test('who left has to join again first, the host too', () => {
    given(...liveRoom, left(ana))
      .when('raise-hand', {}, ana)
      .refuses('not_joined');
    given(...liveRoom, left(hanna))
      .when('raise-hand', {}, hanna)
      .refuses('not_joined');
  });

  test('hands queue in the order of raising, and go to the end when raised again', () => {
    const room = roomAfter(
      ...liveRoom,
      rsvped(bo),
      joined(bo),
      raised(ana),
      raised(bo),
      lowered(ana),
      raised(ana),
    );
    expect([...room.hands.keys()]).toEqual([bo.userId, ana.userId]);
  });
});

describe('lower-hand', () => {
  const twoHands = [...liveRoom, rsvped(bo), joined(bo), raised(bo), raised(ana)];

  test('lowering one’s own hand names nobody else', () => {
    given(...twoHands)
      .when('lower-hand', {}, ana)
      .then(lowered(ana));
    given(...twoHands)
      .when('lower-hand', { targetUserId: ana.userId }, ana)
      .then(lowered(ana));
  });

  test('a lowered hand that is lowered again appends nothing', () => {
    given(...liveRoom)
      .when('lower-hand', {}, ana)
      .changesNothing();
    given(...liveRoom)
      .when('lower-hand', { targetUserId: ana.userId }, hanna)
      .changesNothing();
  });

  test('host and co-hosts lower another’s hand, and the event says who did', () => {
    given(...twoHands)
      .when('lower-hand', { targetUserId: bo.userId }, hanna)
      .then(lowered(bo, hanna));
    given(...twoHands, rsvped(cora), promoted(cora))
      .when('lower-hand', { targetUserId: bo.userId }, cora)
      .then(lowered(bo, cora));
  });

  test('the host need not be in the room for it', () => {
    given(...twoHands, left(hanna))
      .when('lower-hand', { targetUserId: bo.userId }, hanna)
      .then(lowered(bo, hanna));
  });

  test('a co-host may lower the host’s hand: only muting, removing and revoking spare the host', () => {
    given(...liveRoom, rsvped(cora), promoted(cora), raised(hanna))
      .when('lower-hand', { targetUserId: hanna.userId }, cora)
      .then(lowered(hanna, cora));
  });

  test('an attendee may not lower another’s hand', () => {
    given(...twoHands)
      .when('lower-hand', { targetUserId: bo.userId }, ana)
      .refuses('forbidden');
  });

  test('the hand of someone who is no member is not found', () => {
    given(...twoHands)
      .when('lower-hand', { targetUserId: sam.userId }, hanna)
      .refuses('target_not_found');
    given(...twoHands, removed(bo))
      .when('lower-hand', { targetUserId: bo.userId }, hanna)
      .refuses('target_not_found');
  });
});

describe('what takes a hand down', () => {
  test.each([
    ['approving the speaker in the append that approves', [approved(ana), lowered(ana, hanna)]],
    ['leaving', [left(ana)]],
    ['a dropped connection', [left(ana, 'disconnected')]],
    ['being removed', [removed(ana)]],
    ['the end of the workshop', [ended]],
  ])('%s', (_, events) => {
    expect(roomAfter(...liveRoom, raised(ana)).hands.size).toBe(1);
    expect(roomAfter(...liveRoom, raised(ana), ...events).hands.size).toBe(0);
  });

  test('a hand does not come back up with its owner', () => {
    const room = roomAfter(
      scheduled(),
      rsvped(ana),
      started,
      joined(ana),
      raised(ana),
      left(ana),
      joined(ana),
    );
    expect(room.present.has(ana.userId)).toBe(true);
    expect(room.hands.size).toBe(0);
  });
});
