/** Messages and their deletion. */
import { describe, expect, test } from 'vitest';
import { commandOf } from '../../../src/domain/catalog.ts';
import { chatKept } from '../../../src/domain/room.ts';
import {
  admin,
  ana,
  bo,
  cancelled,
  cora,
  deleted,
  ended,
  hanna,
  joined,
  left,
  liveRoom,
  opened,
  promoted,
  removed,
  rsvped,
  rui,
  said,
  sam,
  scheduled,
} from '../cast.ts';
import { given, roomAfter } from '../given.ts';

const says = (message: string) => given(...liveRoom).when('chat', { message }, ana);
const valid = (message: unknown) => commandOf('chat').payload.safeParse({ message }).success;

describe('chat', () => {
  test('a message is trimmed', () => {
    says(' \n hello, room\t ').then(said(ana, 'hello, room'));
  });

  test('two equal messages are two', () => {
    given(...liveRoom, said(ana, 'hello'))
      .when('chat', { message: 'hello' }, ana)
      .then(said(ana, 'hello'));
  });

  test('tabs and line breaks inside stay', () => {
    says('one\n\ttwo').then(said(ana, 'one\n\ttwo'));
  });

  test('1,000 characters are counted after trimming, an emoji as one', () => {
    says(` ${'x'.repeat(1_000)} `).then(said(ana, 'x'.repeat(1_000)));
    says('🐦'.repeat(1_000)).then(said(ana, '🐦'.repeat(1_000)));
    expect(valid('x'.repeat(1_001))).toBe(false);
    expect(valid('🐦'.repeat(1_001))).toBe(false);
  });

  test('lines end in a newline, however they were sent', () => {
    says('a\r\nb\rc').then(said(ana, 'a\nb\nc'));
  });

  test.each([
    ['nothing', ''],
    ['spaces alone', ' \n\t '],
    ['U+0000', 'a\u0000b'],
    ['a control character', 'a\u001bb'],
    ['what nobody can see', '\u200b\u3164\u2800'],
    ['a C1 control character', 'a\u0085b'],
    ['a lone high surrogate', 'a\ud83db'],
    ['a lone low surrogate', 'a\udc26'],
    ['a number', 7],
    ['no message', undefined],
  ])('%s is no valid message', (_, message) => {
    expect(valid(message)).toBe(false);
  });

  test('the room keeps the last messages, oldest first', () => {
    const room = roomAfter(
      ...liveRoom,
      ...Array.from({ length: chatKept + 3 }, (_, n) => said(ana, `m${n}`)),
    );
    expect(room.chat.length).toBe(50);
    expect(room.chat[0]).toMatchObject({ id: 9, message: 'm3' });
    expect(room.chat.at(-1)).toMatchObject({ id: 58, message: 'm52' });
  });

  test('is for who is in the room, host included', () => {
    given(...liveRoom, rsvped(rui))
      .when('chat', { message: 'hi' }, rui)
      .refuses('not_joined');
    given(...liveRoom, left(hanna))
      .when('chat', { message: 'hi' }, hanna)
      .refuses('not_joined');
    given(...liveRoom)
      .when('chat', { message: 'hi' }, sam)
      .refuses('not_a_member');
  });
});

describe.each(['delete-chat', 'withdraw-message'] as const)('%s', (name) => {
  /** Version 6 is Ana's message. */
  const past = [...liveRoom, said(ana, 'hello'), rsvped(bo), joined(bo)];
  const six = { messageId: 6 };

  test('its author takes a message back, also from outside the room', () => {
    given(...past)
      .when(name, six, ana)
      .then(deleted(6, ana));
    given(...past, left(ana))
      .when(name, six, ana)
      .then(deleted(6, ana));
  });

  test('host and co-hosts delete what others wrote, the host’s messages too', () => {
    given(...past)
      .when(name, six, hanna)
      .then(deleted(6, hanna));
    given(...past, rsvped(cora), promoted(cora))
      .when(name, six, cora)
      .then(deleted(6, cora));
    given(...liveRoom, said(hanna, 'hello'), rsvped(cora), promoted(cora))
      .when(name, six, cora)
      .then(deleted(6, cora));
  });

  test('other attendees are forbidden to', () => {
    given(...past)
      .when(name, six, bo)
      .refuses('forbidden');
  });

  test('a message of someone who was removed can still be deleted', () => {
    given(...past, removed(ana))
      .when(name, six, hanna)
      .then(deleted(6, hanna));
  });

  test('deleting a deleted message appends nothing', () => {
    given(...past, deleted(6, ana))
      .when(name, six, ana)
      .changesNothing();
    given(...past, deleted(6, ana))
      .when(name, six, hanna)
      .changesNothing();
    given(...past, deleted(6, ana))
      .when(name, six, bo)
      .refuses('forbidden');
  });

  test('a message that was never written, and an event that is none, are not found', () => {
    given(...past)
      .when(name, { messageId: 99 }, hanna)
      .refuses('target_not_found');
    given(...past)
      .when(name, { messageId: 5 }, ana)
      .refuses('target_not_found');
  });

  test('the text is gone from the room, its place stays', () => {
    const room = given(...past)
      .when(name, six, ana)
      .then(deleted(6, ana));
    expect(room.chat).toEqual([
      {
        id: 6,
        userId: ana.userId,
        displayName: ana.displayName,
        avatarUrl: null,
        message: null,
        at: expect.any(Number),
      },
    ]);
    expect(room.deleted).toEqual(new Set([6]));
  });

  test('messages that left the room’s window can be deleted too', () => {
    const long = [...past, ...Array.from({ length: 60 }, () => said(bo, 'again'))];
    given(...long)
      .when(name, six, ana)
      .then(deleted(6, ana));
  });
});

describe('deletion after the end', () => {
  const past = [...liveRoom, said(ana, 'hello'), ended];
  const six = { messageId: 6 };

  test('the socket’s command is over with the workshop', () => {
    given(...past)
      .when('delete-chat', six, ana)
      .refuses('invalid_state');
    given(...past)
      .when('delete-chat', six, hanna)
      .refuses('invalid_state');
  });

  test('withdraw-message is there in every status', () => {
    given(...past)
      .when('withdraw-message', six, ana)
      .then(deleted(6, ana));
    given(scheduled(), opened, joined(hanna), said(hanna, 'hello'), cancelled)
      .when('withdraw-message', { messageId: 4 }, hanna)
      .then(deleted(4, hanna));
  });
});

describe('admins', () => {
  const private_ = [scheduled({ visibility: 'private' }), opened, joined(hanna), said(hanna, 'hello')];

  test('withdraw any message over REST, member or not', () => {
    given(...private_)
      .when('withdraw-message', { messageId: 4 }, admin)
      .then(deleted(4, admin));
    given(...private_, cancelled)
      .when('withdraw-message', { messageId: 4 }, admin)
      .then(deleted(4, admin));
  });

  test('have no such right on a socket', () => {
    given(...private_)
      .when('delete-chat', { messageId: 4 }, admin)
      .refuses('not_a_member');
  });
});

test('a message kept without its text folds like one that was deleted later', () => {
  const gone = {
    ...said(ana, 'x'),
    data: { userId: 5, displayName: 'Ana', avatarUrl: null, message: null, deleted: true },
  };
  const kept = roomAfter(...liveRoom, said(ana, 'hello'), deleted(6, ana));
  expect(roomAfter(...liveRoom, gone, deleted(6, ana))).toEqual(kept);
});
