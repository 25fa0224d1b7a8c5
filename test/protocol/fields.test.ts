/** What is told about people and workshops, field by field, against the contract's lists: nothing more, in any history. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { evolve } from '../../src/domain/evolve.ts';
import { emptyRoom } from '../../src/domain/room.ts';
import { attendeesPage, stateView, wireEvent } from '../../src/protocol/wire.ts';
import { anyStory } from '../domain/histories.ts';

const person = ['userId', 'displayName', 'avatarUrl'];
const attendee = [...person, 'isHost', 'isCoHost', 'canSpeak'];
const line = [...person, 'id', 'message', 'offset_ms', 'createdAt'];

/** Beside `version`, `type` and `at`: what each event has, and after `?` what it may have. */
const told: Record<string, [always: string[], perhaps?: string[]]> = {
  'workshop-scheduled': [
    ['hostId', 'title', 'description', 'scheduledAt', 'durationMinutes', 'visibility', 'capacity'],
  ],
  'workshop-updated': [[], ['title', 'description', 'scheduledAt', 'durationMinutes', 'capacity']],
  'user-rsvped': [person],
  'rsvp-withdrawn': [['userId']],
  'user-invited': [['userId']],
  'state-changed': [['status'], ['startedAt', 'endedAt']],
  'user-joined': [attendee],
  'user-left': [['userId', 'reason']],
  'hand-raised': [['userId']],
  'hand-lowered': [['userId'], ['by']],
  'speaker-approved': [['userId', 'by']],
  'speaker-revoked': [['userId', 'by']],
  'cohost-promoted': [['userId', 'by']],
  'cohost-demoted': [['userId', 'by']],
  'user-muted': [['userId', 'by']],
  'user-removed': [['userId', 'by'], ['reason']],
  'user-readmitted': [['userId', 'by']],
  'chat-message': [line, ['deleted']],
  'chat-deleted': [['id', 'by']],
};

const state = [
  ...['workshopId', 'version', 'epoch', 'status', 'title', 'hostId', 'coHostIds', 'startedAt', 'endedAt'],
  ...['scheduledAt', 'attendees', 'attendeeCount', 'raisedHands', 'chat'],
];

function holdsOnly(value: object, always: readonly string[], perhaps: readonly string[] = []): void {
  const keys = Object.keys(value).filter((key) => !perhaps.includes(key));
  expect(keys.sort()).toEqual([...always].sort());
}

it('[S25] an event, a state and a page of attendees hold what the contract lists, and nothing more', () => {
  fc.assert(
    fc.property(anyStory, ({ events }) => {
      const room = emptyRoom(41);
      for (const event of events) {
        evolve(room, event);
        const [always = [], perhaps = []] = told[event.type] ?? [];
        holdsOnly(wireEvent(event, room), [...always, 'version', 'type', 'at'], perhaps);
      }
      const view = stateView(room, 'epoch');
      holdsOnly(view, state);
      for (const each of [...view.attendees, ...attendeesPage(room, 0, 500).items]) holdsOnly(each, attendee);
      for (const each of view.chat) holdsOnly(each, line, ['deleted']);
    }),
  );
});
