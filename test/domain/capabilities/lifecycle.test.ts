/** Scheduling, updating, and the steps from lobby to end. */
import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import {
  ana,
  became,
  bo,
  cancelled,
  cora,
  ended,
  hanna,
  joined,
  liveRoom,
  opened,
  promoted,
  raised,
  rsvped,
  scheduled,
  scheduledAt,
  started,
  system,
} from '../cast.ts';
import { begin, given, roomAfter } from '../given.ts';

describe('schedule-workshop', () => {
  test('the caller becomes host and may speak; what is left out is null, and the workshop public', () => {
    const room = given()
      .when('schedule-workshop', { title: ' Drawing birds ', scheduledAt }, hanna)
      .then(scheduled({ durationMinutes: null }));
    expect(room).toMatchObject({ hostId: hanna.userId, status: 'scheduled', capacity: null });
    expect(room.members.get(hanna.userId)?.canSpeak).toBe(true);
  });

  test('times of any zone are kept in UTC', () => {
    given()
      .when(
        'schedule-workshop',
        { title: 'Drawing birds', scheduledAt: '2026-03-02T12:30:00+02:30', durationMinutes: 60 },
        hanna,
      )
      .then(scheduled());
  });

  test.each([
    ['an empty title', { title: ' ' }],
    ['a title of 201 characters', { title: 'x'.repeat(201) }],
    ['a description of 5,001 characters', { description: 'x'.repeat(5_001) }],
    ['a capacity of 0', { capacity: 0 }],
    ['a capacity of 100,001', { capacity: 100_001 }],
    ['a capacity of one and a half', { capacity: 1.5 }],
    ['no minutes', { durationMinutes: 0 }],
    ['1,441 minutes', { durationMinutes: 1_441 }],
    ['a time without a zone', { scheduledAt: '2026-03-02T10:00:00' }],
    ['a day that does not exist', { scheduledAt: '2026-02-30T10:00:00Z' }],
    ['a year that no store holds', { scheduledAt: '9999-12-31T23:00:00-12:00' }],
  ])('%s is no valid payload', (_, change) => {
    const payload = { title: 'Drawing birds', scheduledAt, ...change };
    expect(() => given().when('schedule-workshop', payload, hanna)).toThrow(ZodError);
  });

  test('the limits themselves are valid', () => {
    const most = {
      title: 'x'.repeat(200),
      description: 'y'.repeat(5_000),
      capacity: 100_000,
      durationMinutes: 1_440,
      scheduledAt,
      visibility: 'private' as const,
    };
    given().when('schedule-workshop', most, hanna).then(scheduled(most));
  });
});

describe('update-workshop', () => {
  test('appends what changed and nothing else', () => {
    const room = given(scheduled({ capacity: 5 }))
      .when('update-workshop', { title: 'Drawing boats', capacity: null, durationMinutes: 60 }, hanna)
      .then({ type: 'workshop-updated', data: { title: 'Drawing boats', capacity: null } });
    expect(room).toMatchObject({ title: 'Drawing boats', capacity: null, durationMinutes: 60 });
  });

  test('with nothing changed it appends nothing', () => {
    given(scheduled()).when('update-workshop', {}, hanna).changesNothing();
    given(scheduled())
      .when('update-workshop', { title: 'Drawing birds', scheduledAt, description: null }, hanna)
      .changesNothing();
    given(scheduled())
      .when('update-workshop', { scheduledAt: '2026-03-02T11:00:00+01:00' }, hanna)
      .changesNothing();
  });

  test('moves the time, also in the lobby', () => {
    const room = given(scheduled(), opened)
      .when('update-workshop', { scheduledAt: '2026-03-02T11:00:00Z' }, hanna)
      .then({ type: 'workshop-updated', data: { scheduledAt: '2026-03-02T11:00:00.000Z' } });
    expect(room.scheduledAt).toBe(Date.parse('2026-03-02T11:00:00Z'));
  });

  test('visibility can’t be changed: the field is ignored', () => {
    const payload = { visibility: 'private' } as object;
    given(scheduled()).when('update-workshop', payload, hanna).changesNothing();
  });
});

describe('the steps', () => {
  test('lead from scheduled over lobby and live to ended', () => {
    given(scheduled()).when('open-lobby', {}, hanna).then(opened);
    given(scheduled(), opened).when('start', {}, hanna).then(started);
    given(scheduled(), opened, started).when('end', {}, hanna).then(ended);
  });

  test('start also comes straight from scheduled, cancel from scheduled and lobby', () => {
    given(scheduled()).when('start', {}, hanna).then(started);
    given(scheduled()).when('cancel', {}, hanna).then(cancelled);
    given(scheduled(), opened).when('cancel', {}, hanna).then(cancelled);
  });

  test('a step that has been taken already appends nothing', () => {
    given(scheduled(), opened).when('open-lobby', {}, hanna).changesNothing();
    given(scheduled(), started).when('start', {}, hanna).changesNothing();
    given(scheduled(), started, ended).when('end', {}, hanna).changesNothing();
    given(scheduled(), cancelled).when('cancel', {}, hanna).changesNothing();
  });

  test('a step out of place is invalid_state', () => {
    given(scheduled()).when('end', {}, hanna).refuses('invalid_state');
    given(scheduled(), started).when('open-lobby', {}, hanna).refuses('invalid_state');
    given(scheduled(), started).when('cancel', {}, hanna).refuses('invalid_state');
    given(scheduled(), started, ended).when('start', {}, hanna).refuses('invalid_state');
    given(scheduled(), cancelled).when('end', {}, hanna).refuses('invalid_state');
  });

  test('a co-host may start and end, and neither open the lobby nor cancel', () => {
    const past = [scheduled(), rsvped(cora), promoted(cora)];
    given(...past)
      .when('start', {}, cora)
      .then(started);
    given(...past, started)
      .when('end', {}, cora)
      .then(ended);
    given(...past)
      .when('open-lobby', {}, cora)
      .refuses('forbidden');
    given(...past)
      .when('cancel', {}, cora)
      .refuses('forbidden');
  });

  test('who may not take a step is forbidden also where it was taken already', () => {
    given(scheduled(), rsvped(ana), started).when('start', {}, ana).refuses('forbidden');
  });

  test('the system takes those that its timers ask for', () => {
    given(scheduled()).when('open-lobby', {}, system).then(opened);
    given(scheduled()).when('cancel', {}, system).then(cancelled);
    given(scheduled(), started).when('end', {}, system).then(ended);
  });
});

describe('what the status tells', () => {
  test('startedAt is when it went live, endedAt when it was over', () => {
    const room = roomAfter(scheduled(), opened, started, ended);
    expect(room).toMatchObject({ startedAt: begin + 3_000, endedAt: begin + 4_000 });
    expect(roomAfter(scheduled(), cancelled)).toMatchObject({ startedAt: null, endedAt: begin + 2_000 });
  });

  test.each(['ended', 'cancelled'] as const)('once %s nobody is present and no hand is up', (status) => {
    const floor = [rsvped(ana), rsvped(bo), joined(hanna), joined(ana), joined(bo), raised(bo), raised(ana)];
    const room = roomAfter(
      scheduled(),
      ...(status === 'ended' ? [started] : [opened]),
      ...floor,
      became(status),
    );
    expect(room.present.size).toBe(0);
    expect(room.hands.size).toBe(0);
    expect(room.members.get(ana.userId)).toMatchObject({ rsvped: true, removed: false });
  });

  test('later commands get invalid_state', () => {
    given(...liveRoom, ended)
      .when('raise-hand', {}, ana)
      .refuses('invalid_state');
    given(...liveRoom, ended)
      .when('chat', { message: 'bye' }, ana)
      .refuses('invalid_state');
    given(...liveRoom, ended)
      .when('mute-user', { targetUserId: ana.userId }, hanna)
      .refuses('invalid_state');
  });
});
