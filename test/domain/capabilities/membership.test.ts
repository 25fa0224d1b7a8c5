/** RSVPs and invitations, and what they let one see. */
import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { isVisible, mayReadHistory } from '../../../src/domain/decide.ts';
import {
  admin,
  ana,
  analyst,
  bo,
  cancelled,
  cora,
  ended,
  hanna,
  invited,
  joined,
  left,
  liveRoom,
  promoted,
  removed,
  rsvped,
  rui,
  sam,
  scheduled,
  started,
  withdrew,
} from '../cast.ts';
import { given, roomAfter } from '../given.ts';

const secret = scheduled({ visibility: 'private' });

describe('rsvp', () => {
  test('anyone may say that they come to a public workshop', () => {
    given(scheduled()).when('rsvp', {}, sam).then(rsvped(sam));
  });

  test('saying so again appends nothing', () => {
    given(scheduled(), rsvped(sam)).when('rsvp', {}, sam).changesNothing();
  });

  test('the host comes anyway: it appends nothing', () => {
    given(scheduled()).when('rsvp', {}, hanna).changesNothing();
  });

  test('a private workshop is open to who was invited', () => {
    given(secret, invited(sam)).when('rsvp', {}, sam).then(rsvped(sam));
  });

  test('a private workshop does not exist for others', () => {
    given(secret).when('rsvp', {}, sam).refuses('not_found');
  });

  test('who sees a private workshop by a role alone was not asked to come, whatever its status', () => {
    given(secret).when('rsvp', {}, analyst).refuses('not_a_member');
    given(secret, started, ended).when('rsvp', {}, admin).refuses('not_a_member');
  });

  test('who was removed stays out, who withdrew may come back', () => {
    given(scheduled(), rsvped(sam), removed(sam)).when('rsvp', {}, sam).refuses('removed');
    given(scheduled(), rsvped(sam), withdrew(sam)).when('rsvp', {}, sam).then(rsvped(sam));
  });

  test.each([['ended', [started, ended]] as const, ['cancelled', [cancelled]] as const])(
    'comes too late once the workshop is %s',
    (_, events) => {
      given(scheduled(), ...events)
        .when('rsvp', {}, sam)
        .refuses('invalid_state');
    },
  );
});

describe('withdraw-rsvp', () => {
  test('takes an RSVP back, and with it the right to join', () => {
    given(scheduled(), rsvped(ana)).when('withdraw-rsvp', {}, ana).then(withdrew(ana));
    given(scheduled(), rsvped(ana), withdrew(ana)).when('join', {}, ana).refuses('not_a_member');
  });

  test('an invitation outlives it', () => {
    given(secret, invited(ana), rsvped(ana), withdrew(ana)).when('join', {}, ana).then(joined(ana));
  });

  test('is invalid_state while present, and fine after leaving', () => {
    given(...liveRoom)
      .when('withdraw-rsvp', {}, ana)
      .refuses('invalid_state');
    given(...liveRoom, left(ana))
      .when('withdraw-rsvp', {}, ana)
      .then(withdrew(ana));
  });

  test('without an RSVP it appends nothing', () => {
    given(scheduled()).when('withdraw-rsvp', {}, sam).changesNothing();
    given(scheduled(), invited(sam)).when('withdraw-rsvp', {}, sam).changesNothing();
  });
});

describe('invite-users', () => {
  const ids = (...users: { userId: number }[]) => ({ userIds: users.map(({ userId }) => userId) });

  test('invites everyone in one append, in the order given', () => {
    given(secret).when('invite-users', ids(bo, ana), hanna).then(invited(bo), invited(ana));
  });

  test('passes over the host, who is invited already, who was removed, and repeats', () => {
    given(secret, invited(ana), invited(rui), removed(rui))
      .when('invite-users', ids(hanna, ana, rui, bo, bo), hanna)
      .then(invited(bo));
  });

  test('inviting nobody new appends nothing', () => {
    given(secret, invited(ana)).when('invite-users', ids(ana, hanna), hanna).changesNothing();
  });

  test('invites who has an RSVP: the invitation outlives a withdrawal', () => {
    given(scheduled(), rsvped(ana)).when('invite-users', ids(ana), hanna).then(invited(ana));
  });

  test('a co-host may invite, an attendee may not', () => {
    given(secret, invited(cora), promoted(cora)).when('invite-users', ids(bo), cora).then(invited(bo));
    given(secret, invited(ana)).when('invite-users', ids(bo), ana).refuses('forbidden');
  });

  test('takes 500 at once and no more', () => {
    const many = (count: number) => ({ userIds: Array.from({ length: count }, (_, index) => 100 + index) });
    const room = given(secret)
      .when('invite-users', many(500), hanna)
      .then(...many(500).userIds.map((userId) => invited({ ...sam, userId })));
    expect(room.version).toBe(501);
    expect(() => given(secret).when('invite-users', many(501), hanna)).toThrow(ZodError);
    expect(() => given(secret).when('invite-users', many(0), hanna)).toThrow(ZodError);
  });
});

describe('who may see a private workshop', () => {
  const room = roomAfter(
    secret,
    invited(cora),
    promoted(cora),
    invited(ana),
    invited(bo),
    rsvped(bo),
    removed(bo),
  );

  test.each([
    ['the host', hanna, true],
    ['a co-host', cora, true],
    ['who was invited', ana, true],
    ['who was removed', bo, true],
    ['an analyst', analyst, true],
    ['an admin', admin, true],
    ['a stranger', sam, false],
  ])('%s', (_, who, visible) => {
    expect(isVisible(room, who)).toBe(visible);
  });

  test('a public one everyone, one that does not exist nobody', () => {
    expect(isVisible(roomAfter(scheduled()), sam)).toBe(true);
    expect(isVisible(roomAfter(), admin)).toBe(false);
  });

  test('history is for host, co-host and analyst', () => {
    const readers = [hanna, cora, ana, bo, analyst, admin, sam].filter((who) => mayReadHistory(room, who));
    expect(readers).toEqual([hanna, cora, analyst]);
  });
});
