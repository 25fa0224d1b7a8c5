/** From scheduling to the end: the workshop's own facts and its status. */
import { z } from 'zod';
import { append, defineCommand, defineEvent, type Question, unchanged } from '../define.ts';
import { statusAfter } from '../machine.ts';
import { endPresence, isOver, memberOf, noteHostPresence, statuses } from '../room.ts';
import { instant, text, userId } from '../text.ts';

const title = text(1, 200);
const description = text(0, 5_000);
const capacity = z.int().min(1).max(100_000);
const durationMinutes = z.int().min(1).max(1_440);

export const workshopScheduled = defineEvent({
  type: 'workshop-scheduled',
  schema: 1,
  data: z.object({
    hostId: userId,
    title,
    description: description.nullable(),
    scheduledAt: instant,
    durationMinutes: durationMinutes.nullable(),
    visibility: z.enum(['public', 'private']),
    capacity: capacity.nullable(),
  }),
  marks: () => ['room'],
  wakes: () => true,
  // What a workshop is called and about is told to everyone who might come; its host changes it where it names someone.
  impersonal: ['title', 'description', 'scheduledAt'],
  evolve(room, data, { at }) {
    Object.assign(room, {
      hostId: data.hostId,
      title: data.title,
      description: data.description,
      visibility: data.visibility,
      capacity: data.capacity,
      durationMinutes: data.durationMinutes,
      scheduledAt: Date.parse(data.scheduledAt),
      createdAt: at,
      status: 'scheduled',
    });
    memberOf(room, data.hostId).canSpeak = true;
    noteHostPresence(room, at);
  },
});

const change = z.object({
  title: title.optional(),
  description: description.nullable().optional(),
  scheduledAt: instant.optional(),
  durationMinutes: durationMinutes.nullable().optional(),
  capacity: capacity.nullable().optional(),
});

export const workshopUpdated = defineEvent({
  type: 'workshop-updated',
  schema: 1,
  data: change,
  marks: () => ['room'],
  wakes: (data) => data.scheduledAt !== undefined,
  impersonal: ['title', 'description', 'scheduledAt'],
  evolve(room, data) {
    const { scheduledAt, ...rest } = data;
    Object.assign(room, rest);
    if (scheduledAt !== undefined) room.scheduledAt = Date.parse(scheduledAt);
  },
});

export const stateChanged = defineEvent({
  type: 'state-changed',
  schema: 1,
  data: z.object({ status: z.enum(statuses) }),
  marks: () => ['room'],
  wakes: () => true,
  evolve(room, { status }, { at }) {
    room.status = status;
    if (status === 'live') room.startedAt = at;
    if (!isOver(room)) return;
    room.endedAt = at;
    for (const present of [...room.present.keys()]) endPresence(room, present, at);
    room.hands.clear();
  },
  derive({ status }, { at }, startedAt) {
    const over = status === 'ended' || status === 'cancelled';
    // A lobby that opened in the millisecond of the start had not started.
    const started = startedAt !== null && status !== 'lobby';
    return {
      ...(started && { startedAt: new Date(startedAt).toISOString() }),
      ...(over && { endedAt: new Date(at).toISOString() }),
    };
  },
  derived: z.object({ startedAt: z.iso.datetime(), endedAt: z.iso.datetime() }).partial(),
});

export const scheduleWorkshop = defineCommand({
  name: 'schedule-workshop',
  summary: 'Schedules a workshop; the caller becomes its host.',
  via: 'rest',
  payload: z.object({
    title,
    description: description.nullable().optional(),
    scheduledAt: instant,
    durationMinutes: durationMinutes.nullable().optional(),
    visibility: z.enum(['public', 'private']).default('public'),
    capacity: capacity.nullable().optional(),
  }),
  who: 'stranger',
  decide({ room, payload, by }) {
    if (room.version > 0) return unchanged;
    return append(
      workshopScheduled.of({
        hostId: by,
        title: payload.title,
        description: payload.description ?? null,
        scheduledAt: payload.scheduledAt,
        durationMinutes: payload.durationMinutes ?? null,
        visibility: payload.visibility,
        capacity: payload.capacity ?? null,
      }),
    );
  },
});

export const updateWorkshop = defineCommand({
  name: 'update-workshop',
  summary: 'Changes title, description, time, duration or capacity.',
  via: 'rest',
  payload: change,
  who: 'host',
  decide({ room, payload }) {
    const now = { ...room, scheduledAt: new Date(room.scheduledAt).toISOString() };
    const changed = Object.fromEntries(
      Object.entries(payload).filter(
        ([field, value]) => value !== undefined && value !== now[field as keyof typeof payload],
      ),
    );
    return Object.keys(changed).length === 0 ? unchanged : append(workshopUpdated.of(changed));
  },
});

function step<const N extends 'open-lobby' | 'start' | 'end' | 'cancel'>(
  name: N,
  who: 'host' | 'moderator',
  leadsTo: 'lobby' | 'live' | 'ended' | 'cancelled',
  summary: string,
) {
  return defineCommand({
    name,
    summary,
    via: 'rest',
    payload: z.object({}),
    who,
    leadsTo,
    decide: ({ room }: Question<object>) =>
      append(stateChanged.of({ status: statusAfter(room.status, name) })),
  });
}

export const openLobby = step('open-lobby', 'host', 'lobby', 'Opens the lobby of a scheduled workshop.');
export const start = step(
  'start',
  'moderator',
  'live',
  'Starts the workshop, from the lobby or straight away.',
);
export const end = step(
  'end',
  'moderator',
  'ended',
  'Ends a live workshop, and with it the presence of everyone.',
);
export const cancel = step('cancel', 'host', 'cancelled', 'Cancels a workshop that was not started.');
