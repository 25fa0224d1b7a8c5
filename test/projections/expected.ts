/** What the tables should hold, told event by event from the contract, without any code of the projections or of `evolve`. */
import type { RecordedEvent } from '../../src/domain/evolve.ts';

interface Person {
  user_id: number;
  display_name: string | null;
  avatar_url: string | null;
  status: string;
  is_host: boolean;
  is_co_host: boolean;
  can_speak: boolean;
  hand_raised_at: number | null;
  joined_at: number | null;
  left_at: number | null;
  present_ms: number;
}

export interface Tables {
  workshop: Record<string, unknown> | undefined;
  attendees: Person[];
  chat: Record<string, unknown>[];
  events: Record<string, unknown>[];
}

export function expectedTables(events: readonly RecordedEvent[]): Tables {
  const first = events[0];
  if (first === undefined) return { workshop: undefined, attendees: [], chat: [], events: [] };
  const scheduled = first.data as Record<string, unknown>;
  const workshop: Record<string, unknown> = {
    ...{ host_id: scheduled.hostId, title: scheduled.title, description: scheduled.description },
    ...{ visibility: scheduled.visibility, status: 'scheduled', capacity: scheduled.capacity },
    ...{
      scheduled_at: Date.parse(String(scheduled.scheduledAt)),
      duration_minutes: scheduled.durationMinutes,
    },
    ...{ started_at: null, ended_at: null, created_at: first.at, version: events.length },
  };
  const people = new Map<number, Person & { since: number | null; rsvped: boolean }>();
  const person = (id: unknown) => {
    const user_id = Number(id);
    const is_host = user_id === scheduled.hostId;
    const found = people.get(user_id) ?? {
      ...{ user_id, display_name: null, avatar_url: null, status: is_host ? 'rsvp' : 'invited', is_host },
      ...{ is_co_host: false, can_speak: is_host, hand_raised_at: null, joined_at: null, left_at: null },
      ...{ present_ms: 0, since: null, rsvped: false },
    };
    people.set(user_id, found);
    return found;
  };
  const goes = (who: ReturnType<typeof person>, at: number) => {
    who.hand_raised_at = null;
    if (who.since === null) return false;
    who.present_ms += at - who.since;
    who.since = null;
    who.left_at = at;
    return true;
  };
  const chat = new Map<number, Record<string, unknown>>();
  const deleted = new Set<number>();

  for (const { type, data: raw, at, version } of events) {
    const data = raw as Record<string, unknown>;
    const isOpen = workshop.status === 'lobby' || workshop.status === 'live';
    if (type === 'workshop-updated') {
      if ('title' in data) workshop.title = data.title;
      if ('capacity' in data) workshop.capacity = data.capacity;
    } else if (type === 'state-changed') {
      workshop.status = data.status;
      if (data.status === 'live') workshop.started_at = at;
      const isOver = data.status === 'ended' || data.status === 'cancelled';
      if (isOver) workshop.ended_at = at;
      for (const who of people.values()) {
        if (isOver && goes(who, at)) who.status = 'left';
        if (!isOver && who.since !== null) {
          who.status = 'joined';
          who.joined_at ??= at;
        }
      }
    } else if (type === 'user-rsvped') {
      const who = person(data.userId);
      who.rsvped = true;
      who.display_name = String(data.displayName);
      who.avatar_url = data.avatarUrl as string | null;
      if (!['joined', 'left', 'removed'].includes(who.status)) who.status = 'rsvp';
    } else if (type === 'rsvp-withdrawn') {
      const who = person(data.userId);
      who.rsvped = false;
      who.status = 'withdrawn';
    } else if (type === 'user-invited') {
      const who = person(data.userId);
      if (who.status === 'withdrawn') who.status = 'invited';
    } else if (type === 'user-joined') {
      const who = person(data.userId);
      who.display_name = String(data.displayName);
      who.avatar_url = data.avatarUrl as string | null;
      who.is_co_host = data.isCoHost === true;
      who.can_speak = data.canSpeak === true;
      who.since = at;
      who.left_at = null;
      if (isOpen) {
        who.status = 'joined';
        who.joined_at ??= at;
      }
    } else if (type === 'user-left') {
      const who = person(data.userId);
      goes(who, at);
      if (who.joined_at !== null) who.status = 'left';
    } else if (type === 'user-removed') {
      const who = person(data.userId);
      goes(who, at);
      who.status = 'removed';
      who.can_speak = false;
      who.is_co_host = false;
    } else if (type === 'user-readmitted') {
      const who = person(data.userId);
      who.status = who.joined_at !== null ? 'left' : who.rsvped ? 'rsvp' : 'invited';
    } else if (type === 'cohost-promoted') {
      Object.assign(person(data.userId), { is_co_host: true, can_speak: true });
    } else if (type === 'cohost-demoted') person(data.userId).is_co_host = false;
    else if (type === 'speaker-approved') person(data.userId).can_speak = true;
    else if (type === 'speaker-revoked') person(data.userId).can_speak = false;
    else if (type === 'hand-raised') person(data.userId).hand_raised_at = at;
    else if (type === 'hand-lowered') person(data.userId).hand_raised_at = null;
    else if (type === 'chat-message') {
      chat.set(version, {
        ...{ id: version, user_id: data.userId, display_name: data.displayName, avatar_url: data.avatarUrl },
        ...{ message: data.message, created_at: at, deleted_at: null },
        offset_ms: workshop.started_at === null ? 0 : at - Number(workshop.started_at),
      });
    } else if (type === 'chat-deleted') {
      Object.assign(chat.get(Number(data.id)) ?? {}, { message: null, deleted_at: at });
      deleted.add(Number(data.id));
    }
  }
  return {
    workshop,
    attendees: [...people.values()]
      .map(({ since: _, rsvped: _rsvped, ...row }) => row)
      .sort((one, other) => one.user_id - other.user_id),
    chat: [...chat.values()],
    events: events.map(({ version, eventId, type, schema, at, by, commandId, data }) => ({
      ...{ version, event_id: eventId, type, schema, at, by: String(by), command_id: commandId },
      data: deleted.has(version) ? { ...(data as object), message: null, deleted: true } : data,
    })),
  };
}
