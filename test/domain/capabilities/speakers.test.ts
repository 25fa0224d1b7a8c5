/** Approving, revoking and muting speakers. */
import { describe, expect, test } from 'vitest';
import {
  ana,
  approved,
  bo,
  carl,
  cora,
  hanna,
  left,
  liveRoom,
  lowered,
  muted,
  promoted,
  raised,
  removed,
  revoked,
  rsvped,
  rui,
  sam,
} from '../cast.ts';
import { given, roomAfter } from '../given.ts';

const at = ({ userId }: { userId: number }) => ({ targetUserId: userId });
const withCoHosts = [...liveRoom, rsvped(cora), promoted(cora), rsvped(carl), promoted(carl)];

describe('approve-speaker', () => {
  test('lets a member speak', () => {
    const room = given(...liveRoom)
      .when('approve-speaker', at(ana), hanna)
      .then(approved(ana));
    expect(room.members.get(ana.userId)?.canSpeak).toBe(true);
  });

  test('takes a raised hand down in the same append', () => {
    const room = given(...liveRoom, raised(ana))
      .when('approve-speaker', at(ana), hanna)
      .then(approved(ana), lowered(ana, hanna));
    expect(room.hands.size).toBe(0);
  });

  test('approving a speaker appends nothing, even where their hand is up again', () => {
    given(...liveRoom, approved(ana))
      .when('approve-speaker', at(ana), hanna)
      .changesNothing();
    given(...liveRoom, approved(ana), raised(ana))
      .when('approve-speaker', at(ana), hanna)
      .changesNothing();
  });

  test('a member who is not in the room can be approved ahead', () => {
    given(...liveRoom, rsvped(rui))
      .when('approve-speaker', at(rui), hanna)
      .then(approved(rui));
  });

  test('the host is forbidden as a target, to co-hosts and to the host', () => {
    given(...withCoHosts)
      .when('approve-speaker', at(hanna), cora)
      .refuses('forbidden');
    given(...withCoHosts)
      .when('approve-speaker', at(hanna), hanna)
      .refuses('forbidden');
  });

  test('strangers and removed users are not found', () => {
    given(...liveRoom)
      .when('approve-speaker', at(sam), hanna)
      .refuses('target_not_found');
    given(...liveRoom, removed(ana))
      .when('approve-speaker', at(ana), hanna)
      .refuses('target_not_found');
  });
});

describe('revoke-speaker', () => {
  test('takes the right to speak back', () => {
    const room = given(...liveRoom, approved(ana))
      .when('revoke-speaker', at(ana), hanna)
      .then(revoked(ana));
    expect(room.members.get(ana.userId)?.canSpeak).toBe(false);
  });

  test('revoking someone who may not speak appends nothing', () => {
    given(...liveRoom)
      .when('revoke-speaker', at(ana), hanna)
      .changesNothing();
  });

  test('the host may do so to a co-host, who stays one', () => {
    const room = given(...withCoHosts)
      .when('revoke-speaker', at(cora), hanna)
      .then(revoked(cora));
    expect(room.coHosts.has(cora.userId)).toBe(true);
  });

  test('the right to speak outlasts leaving the room', () => {
    expect(roomAfter(...liveRoom, approved(ana), left(ana)).members.get(ana.userId)?.canSpeak).toBe(true);
  });
});

describe('mute-user', () => {
  test('is appended each time and leaves the right to speak alone', () => {
    const room = given(...liveRoom, approved(ana), muted(ana))
      .when('mute-user', at(ana), hanna)
      .then(muted(ana));
    expect(room.members.get(ana.userId)?.canSpeak).toBe(true);
  });

  test('a co-host may mute without having joined', () => {
    given(...liveRoom, rsvped(cora), promoted(cora))
      .when('mute-user', at(ana), cora)
      .then(muted(ana, cora));
  });
});

describe.each(['mute-user', 'revoke-speaker', 'remove-user'] as const)('%s', (name) => {
  test('spares the host, from everyone', () => {
    given(...withCoHosts)
      .when(name, at(hanna), cora)
      .refuses('forbidden');
    given(...withCoHosts)
      .when(name, at(hanna), hanna)
      .refuses('forbidden');
  });

  test('is for the host alone where the target is a co-host', () => {
    given(...withCoHosts)
      .when(name, at(carl), cora)
      .refuses('forbidden');
    given(...withCoHosts)
      .when(name, at(cora), cora)
      .refuses('forbidden');
  });

  test('is forbidden to attendees, also against themselves', () => {
    given(...liveRoom, rsvped(bo))
      .when(name, at(bo), ana)
      .refuses('forbidden');
    given(...liveRoom)
      .when(name, at(ana), ana)
      .refuses('forbidden');
  });

  test('does not find strangers', () => {
    given(...liveRoom)
      .when(name, at(sam), hanna)
      .refuses('target_not_found');
  });
});
