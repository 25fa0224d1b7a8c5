/** Promoting and demoting co-hosts. */
import { describe, expect, test } from 'vitest';
import {
  ana,
  cora,
  demoted,
  hanna,
  joined,
  left,
  liveRoom,
  promoted,
  readmitted,
  removed,
  revoked,
  rsvped,
  sam,
  scheduled,
  withdrew,
} from '../cast.ts';
import { given, roomAfter } from '../given.ts';

const at = ({ userId }: { userId: number }) => ({ targetUserId: userId });

describe('promote-cohost', () => {
  test('makes a member a co-host, who may also speak', () => {
    const room = given(...liveRoom)
      .when('promote-cohost', at(ana), hanna)
      .then(promoted(ana));
    expect(room.coHosts.has(ana.userId)).toBe(true);
    expect(room.members.get(ana.userId)?.canSpeak).toBe(true);
  });

  test('can be done before the lobby opens', () => {
    given(scheduled(), rsvped(ana)).when('promote-cohost', at(ana), hanna).then(promoted(ana));
  });

  test('promoting a co-host appends nothing, also one whose right to speak was revoked', () => {
    given(...liveRoom, promoted(ana))
      .when('promote-cohost', at(ana), hanna)
      .changesNothing();
    given(...liveRoom, promoted(ana), revoked(ana))
      .when('promote-cohost', at(ana), hanna)
      .changesNothing();
  });

  test('is the host’s alone: a co-host is forbidden', () => {
    given(...liveRoom, rsvped(cora), promoted(cora))
      .when('promote-cohost', at(ana), cora)
      .refuses('forbidden');
  });

  test('does not find strangers and who was removed', () => {
    given(...liveRoom)
      .when('promote-cohost', at(sam), hanna)
      .refuses('target_not_found');
    given(...liveRoom, removed(ana))
      .when('promote-cohost', at(ana), hanna)
      .refuses('target_not_found');
  });
});

describe('demote-cohost', () => {
  test('takes the role back and leaves the right to speak', () => {
    const room = given(...liveRoom, promoted(ana))
      .when('demote-cohost', at(ana), hanna)
      .then(demoted(ana));
    expect(room.coHosts.has(ana.userId)).toBe(false);
    expect(room.members.get(ana.userId)?.canSpeak).toBe(true);
  });

  test('demoting who is no co-host appends nothing', () => {
    given(...liveRoom)
      .when('demote-cohost', at(ana), hanna)
      .changesNothing();
  });

  test('a co-host may not step down by themselves', () => {
    given(...liveRoom, promoted(ana))
      .when('demote-cohost', at(ana), ana)
      .refuses('forbidden');
  });

  test('one who had withdrawn the RSVP and is demoted in the room can still leave and be removed', () => {
    const past = [
      scheduled(),
      rsvped(cora),
      promoted(cora),
      withdrew(cora),
      joined(cora, { isCoHost: true }),
      demoted(cora),
    ];
    given(...past)
      .when('leave', {}, cora)
      .then(left(cora));
    given(...past)
      .when('remove-user', at(cora), hanna)
      .then(removed(cora));
    given(...past, left(cora))
      .when('join', {}, cora)
      .refuses('not_a_member');
  });
});

describe('the host as a target', () => {
  test.each(['promote-cohost', 'demote-cohost'] as const)('%s is forbidden', (name) => {
    given(...liveRoom)
      .when(name, at(hanna), hanna)
      .refuses('forbidden');
  });
});

describe('co-hosting', () => {
  test('outlasts leaving the room', () => {
    expect(roomAfter(...liveRoom, promoted(ana), left(ana)).coHosts.has(ana.userId)).toBe(true);
  });

  test('ends with removal and does not come back with readmission', () => {
    expect(roomAfter(...liveRoom, promoted(ana), removed(ana)).coHosts.size).toBe(0);
    const room = roomAfter(...liveRoom, promoted(ana), removed(ana), readmitted(ana));
    expect(room.coHosts.size).toBe(0);
    expect(room.members.get(ana.userId)?.canSpeak).toBe(false);
  });
});
