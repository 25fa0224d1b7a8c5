/**
 * The checker checked: it finds nothing wrong with a good history, and each way of spoiling one breaks the invariant that
 * it should break.
 */
import { describe, expect, it } from 'vitest';
import { fold, type RecordedEvent } from '../../../src/domain/evolve.ts';
import { type Reply, stateView, wireEvent } from '../../../src/protocol/wire.ts';
import { expectedTables } from '../../projections/expected.ts';
import { check } from './check.ts';
import type { History, Invariant, Recording, Step, StepOf } from './history.ts';

const workshopId = 7;
const host = 1;
const ana = 2;
const bo = 3;

/** A log in which each of the three did something; the command's id is `c<version>` of its first event. */
function goodLog(): RecordedEvent[] {
  const person = (userId: number) => ({ userId, displayName: `User ${userId}`, avatarUrl: null });
  const joins = (userId: number) => ({
    ...person(userId),
    ...{ isHost: userId === host, isCoHost: false, canSpeak: userId === host },
  });
  const told: [by: number | 'system', type: string, data: object][] = [
    [
      host,
      'workshop-scheduled',
      {
        ...{ hostId: host, title: 'Sourdough', description: null, scheduledAt: '2026-01-01T10:00:00.000Z' },
        ...{ durationMinutes: 60, visibility: 'public', capacity: 2 },
      },
    ],
    [ana, 'user-rsvped', person(ana)],
    [bo, 'user-rsvped', person(bo)],
    [host, 'state-changed', { status: 'live' }],
    [ana, 'user-joined', joins(ana)],
    [host, 'user-joined', joins(host)],
    [ana, 'hand-raised', { userId: ana }],
    [bo, 'user-joined', joins(bo)],
    [host, 'speaker-approved', { userId: ana, by: host }],
    [host, 'hand-lowered', { userId: ana, by: host }],
    [ana, 'chat-message', { ...person(ana), message: 'hello' }],
    [bo, 'chat-message', { ...person(bo), message: 'oh no' }],
    [host, 'chat-deleted', { id: 12, by: host }],
    [bo, 'hand-raised', { userId: bo }],
    ['system', 'user-left', { userId: bo, reason: 'disconnected' }],
    [ana, 'chat-message', { ...person(ana), message: 'bye' }],
  ];
  return told.map(([by, type, data], index) => ({
    ...{ version: index + 1, eventId: `e${index + 1}`, type, schema: 1, at: 1_000 * (index + 1), by, data },
    // Approving took the hand down in the same append.
    ...(index === 9 ? { at: 9_000, commandId: 'c9' } : { commandId: `c${index + 1}` }),
  }));
}

const answered = (version: number, changed = true): Reply => ({ ok: true, version, changed });
const entered = (version: number, resumed: boolean, epoch = 'first'): Reply => ({
  ...{ ok: true, version, changed: true, epoch, resumed },
});
const unavailable: Reply = { ok: false, error: { code: 'unavailable', message: '', retryable: true } };

/** Ana was in from version 5 on, lost her connection after 8, and resumed on another node. */
function goodRecording(log: readonly RecordedEvent[]): Recording {
  let ms = 0;
  let connection = 1;
  const at = () => ({ ms: ms++, connection });
  const final = fold(workshopId, log);
  const heard = (version: number): Step => {
    const { type, ...rest } = wireEvent(log[version - 1] as RecordedEvent, final);
    return { ...at(), kind: 'heard', name: type, payload: { workshopId, ...rest } };
  };
  const batch = (from: number, to: number): Step => {
    const events = log.slice(from - 1, to).map((event) => wireEvent(event, final));
    return { ...at(), kind: 'heard', name: 'events', payload: { workshopId, from, to, events } };
  };
  const state = (version: number, epoch = 'first'): Step => {
    const payload = { ...stateView(fold(workshopId, log.slice(0, version)), epoch) };
    return { ...at(), kind: 'heard', name: 'state', payload };
  };
  const asked = (wish: number, name: string, commandId: string, payload = {}): Step => ({
    ...at(),
    ...{ kind: 'asked', wish, name, commandId, payload },
  });
  const answer = (wish: number, name: string, commandId: string, reply: Reply): Step => ({
    ...at(),
    ...{ kind: 'answered', wish, name, commandId, reply },
  });
  const steps: Step[] = [
    { ...at(), kind: 'connected', url: 'a' },
    asked(1, 'join', 'j1'),
    answer(1, 'join', 'j1', entered(5, false)),
    state(5),
    heard(6),
    asked(2, 'raise-hand', 'c7'),
    answer(2, 'raise-hand', 'c7', answered(7)),
    heard(7),
    heard(8),
    asked(3, 'chat', 'c11', { message: 'hello' }),
    { ...at(), kind: 'disconnected' },
  ];
  connection = 2;
  steps.push(
    { ...at(), kind: 'connected', url: 'b' },
    asked(4, 'join', 'j2', { after: { version: 8, epoch: 'first' } }),
    answer(4, 'join', 'j2', { ...entered(11, true), changed: false } as Reply),
    batch(9, 11),
    // Whether it had been done was not known; the same id was answered as the first time.
    asked(3, 'chat', 'c11', { message: 'hello' }),
    answer(3, 'chat', 'c11', unavailable),
    asked(3, 'chat', 'c11', { message: 'hello' }),
    answer(3, 'chat', 'c11', answered(11)),
    heard(12),
    heard(13),
    heard(14),
    heard(15),
    asked(5, 'raise-hand', 'c99'),
    answer(5, 'raise-hand', 'c99', answered(15, false)),
    asked(6, 'chat', 'c16', { message: 'bye' }),
    heard(16),
    answer(6, 'chat', 'c16', answered(16)),
  );
  return { userId: ana, workshopId, began: 100_000, steps };
}

interface Scene {
  events: RecordedEvent[];
  recording: Recording;
  tables: ReturnType<typeof expectedTables>;
}

function good(): Scene {
  const events = goodLog();
  return { events, recording: goodRecording(events), tables: expectedTables(events) };
}

const historyOf = ({ events, recording, tables }: Scene, more: Partial<History> = {}): History => ({
  log: new Map([[workshopId, events]]),
  recordings: [recording],
  tables: new Map([[workshopId, tables]]),
  ...more,
});

function broken(spoil: (scene: Scene) => void, more: Partial<History> = {}): Invariant[] {
  const scene = good();
  spoil(scene);
  const { violations } = check(historyOf(scene, more));
  return [...new Set(violations.map(({ invariant }) => invariant))].sort();
}

const steps = <K extends Step['kind']>({ recording }: Scene, kind: K) =>
  recording.steps.filter((step): step is StepOf<K> => step.kind === kind);

/** The step in which that version alone was heard. */
function hearing(scene: Scene, version: number): StepOf<'heard'> {
  const found = steps(scene, 'heard').find(
    ({ name, payload }) => name !== 'state' && payload.version === version,
  );
  if (found === undefined) throw new Error(`version ${version} was not heard by itself`);
  return found;
}

function without(scene: Scene, step: Step): void {
  scene.recording.steps = scene.recording.steps.filter((each) => each !== step);
}

function event(scene: Scene, version: number): RecordedEvent {
  const found = scene.events[version - 1];
  if (found === undefined) throw new Error(`there is no version ${version}`);
  return found;
}

it('the checker finds nothing wrong with a good history', () => {
  expect(check(historyOf(good()))).toEqual({ violations: [], lost: [] });
});

describe('C1: the checker finds an acknowledged command that', () => {
  it('is not in the log', () => {
    expect(broken(({ events }) => events.pop())).toContain('C1');
  });
  it('is there at another version', () => {
    const spoil = (scene: Scene) => {
      const answer = steps(scene, 'answered').findLast(({ commandId }) => commandId === 'c16');
      if (answer !== undefined) answer.reply = answered(12);
    };
    expect(broken(spoil)).toEqual(['C1']);
  });
  it('is there under another author', () => {
    expect(broken((scene) => Object.assign(event(scene, 7), { by: bo }))).toContain('C1');
  });
  it('was done twice under one id, next to each other or apart', () => {
    const double = (from: number) => (scene: Scene) => {
      const copy = { ...event(scene, from), eventId: 'another', version: scene.events.length + 1 };
      scene.events.push({ ...copy, at: Math.max(copy.at, 16_000) });
    };
    expect(broken(double(16))).toContain('C1');
    expect(broken(double(11))).toContain('C1');
  });
  it('was acknowledged again at another version', () => {
    const spoil = (scene: Scene) => {
      const { steps } = scene.recording;
      const [asked, , answer] = steps.slice(-3) as [Step, Step, StepOf<'answered'>];
      steps.push({ ...asked, ms: 900 }, { ...answer, ms: 901, reply: answered(12) });
    };
    expect(broken(spoil)).toContain('C1');
  });
});

describe('C2: the checker finds', () => {
  it('a gap', () => {
    expect(broken(({ events }) => events.splice(3, 1))).toContain('C2');
  });
  it('two that changed places', () => {
    expect(broken(({ events }) => events.splice(4, 2, ...events.slice(4, 6).reverse()))).toContain('C2');
  });
  it('a time that falls', () => {
    expect(broken((scene) => Object.assign(event(scene, 3), { at: 9_000 }))).toContain('C2');
  });
  it('an event id that is there twice', () => {
    expect(broken((scene) => Object.assign(event(scene, 3), { eventId: 'e2' }))).toContain('C2');
  });
});

describe('C3: the checker finds', () => {
  it('an event that was not received', () => {
    for (const version of [6, 8, 13])
      expect(broken((scene) => without(scene, hearing(scene, version)))).toEqual(['C3']);
  });
  it('an event that did not come any more, at the end', () => {
    expect(broken((scene) => without(scene, hearing(scene, 16)))).toEqual(['C3']);
  });
  it('an event that came twice', () => {
    const spoil = (scene: Scene) =>
      void scene.recording.steps.splice(
        scene.recording.steps.indexOf(hearing(scene, 13)),
        0,
        hearing(scene, 12),
      );
    expect(broken(spoil)).toEqual(['C3']);
  });
  it('two events that changed places', () => {
    const spoil = (scene: Scene) => {
      const one = hearing(scene, 12);
      const other = hearing(scene, 13);
      const swapped = { name: other.name, payload: other.payload };
      Object.assign(other, { name: one.name, payload: one.payload });
      Object.assign(one, swapped);
    };
    expect(broken(spoil)).toEqual(['C3']);
  });
  it('an event that came with other data, another time or as another one', () => {
    for (const change of [{ message: 'Bye' }, { at: '2026-01-01T00:00:00.000Z' }, { extra: 1 }])
      expect(broken((scene) => Object.assign(hearing(scene, 16).payload, change))).toContain('C3');
    expect(broken((scene) => Object.assign(hearing(scene, 8), { name: 'user-left' }))).toContain('C3');
  });
  it('a missing event in a batch, or a resume that leaves one out', () => {
    const payloadOf = (scene: Scene) =>
      steps(scene, 'heard').find(({ name }) => name === 'events')?.payload as { events: unknown[] };
    expect(broken((scene) => payloadOf(scene).events.splice(1, 1))).toEqual(['C3']);
    const late = (scene: Scene) => {
      payloadOf(scene).events.shift();
      Object.assign(payloadOf(scene), { from: 10 });
    };
    expect(broken(late)).toEqual(['C3']);
  });
  it('a resume after another version than the client was at', () => {
    const spoil = (scene: Scene) =>
      Object.assign(steps(scene, 'asked').find(({ wish }) => wish === 4)?.payload ?? {}, {
        after: { version: 10, epoch: 'first' },
      });
    expect(broken(spoil)).toEqual(['C3']);
  });
  it('a state that is not that of the log', () => {
    const stateOf = (scene: Scene) => steps(scene, 'heard').find(({ name }) => name === 'state');
    for (const change of [{ title: 'Rye' }, { raisedHands: [3] }, { attendeeCount: 2 }, { version: 4 }])
      expect(broken((scene) => Object.assign(stateOf(scene)?.payload ?? {}, change))).toContain('C3');
  });
  it('a state that nobody asked for, and one that never came', () => {
    const again = (scene: Scene) => {
      const state = steps(scene, 'heard').find(({ name }) => name === 'state') as Step;
      scene.recording.steps.splice(4, 0, state);
    };
    expect(broken(again)).toEqual(['C3']);
    const never = (scene: Scene) => void scene.recording.steps.splice(3);
    expect(broken(never)).toEqual(['C3']);
  });
  it('events outside the room: before joining, and after leaving', () => {
    const early = (scene: Scene) => void scene.recording.steps.splice(1, 0, hearing(scene, 6));
    expect(broken(early)).toContain('C3');
    const late = (scene: Scene) => {
      const place = scene.recording.steps.indexOf(hearing(scene, 15));
      const left = {
        ms: 0,
        connection: 2,
        kind: 'answered',
        wish: 8,
        name: 'leave',
        commandId: 'l',
      } as const;
      scene.recording.steps.splice(place, 0, { ...left, reply: answered(14, false) });
    };
    expect(broken(late)).toContain('C3');
  });
  it('events that the log lost, where the client was not told', () => {
    const cut = (scene: Scene) => {
      scene.events.splice(14);
      scene.tables = expectedTables(scene.events);
    };
    expect(broken(cut, { mayLose: true })).toEqual(['C3']);
    const told = (scene: Scene) => {
      cut(scene);
      const payload = { ...stateView(fold(workshopId, scene.events), 'second') };
      scene.recording.steps.push({ ms: 999, connection: 2, kind: 'heard', name: 'state', payload });
    };
    expect(broken(told, { mayLose: true })).toEqual([]);
    expect(broken(told)).toEqual(['C1', 'C3']);
    const scene = good();
    told(scene);
    const { lost } = check(historyOf(scene, { mayLose: true }));
    expect(lost.map(({ commandId }) => commandId)).toEqual(['c16']);
  });
  it('nothing wrong with who is removed after the log lost their joining, and nobody who hears on after that', () => {
    const scene = good();
    // The log ends before the second joining, at 11, and then removes the one who had joined.
    scene.events.splice(9);
    const state = { ...stateView(fold(workshopId, scene.events), 'second') };
    const removed = { type: 'user-removed', data: { userId: ana, by: host }, by: host, commandId: 'c10' };
    const muted = { type: 'user-muted', data: { userId: bo, by: host }, by: host, commandId: 'c11b' };
    for (const more of [removed, muted]) {
      const version = scene.events.length + 1;
      scene.events.push({
        version,
        eventId: `n${version}`,
        schema: 1,
        at: 20_000 + version,
        ...more,
      } as RecordedEvent);
    }
    scene.tables = expectedTables(scene.events);
    const room = fold(workshopId, scene.events);
    const hear = (name: string, payload: object) =>
      void scene.recording.steps.push({
        ms: 999,
        connection: 2,
        kind: 'heard',
        name,
        payload: { ...payload },
      });
    const heard = (version: number) => {
      const { type, ...told } = wireEvent(scene.events[version - 1] as RecordedEvent, room);
      hear(type, { ...told, workshopId });
    };
    hear('state', state);
    heard(10);
    expect(check(historyOf(scene, { mayLose: true })).violations).toEqual([]);
    heard(11);
    expect(check(historyOf(scene, { mayLose: true })).violations).toMatchObject([{ invariant: 'C3' }]);
  });
});

describe('C4: the checker finds', () => {
  it('a row that is missing, one too many, and a value that differs', () => {
    const spoilt: ((scene: Scene) => void)[] = [
      ({ tables }) => tables.attendees.pop(),
      ({ tables }) => tables.chat.push({ ...tables.chat[0] }),
      ({ tables }) => tables.events.splice(3, 1),
      ({ tables }) => Object.assign(tables.attendees[1] ?? {}, { present_ms: 1 }),
      ({ tables }) => Object.assign(tables.chat[1] ?? {}, { message: 'oh no' }),
      ({ tables }) => Object.assign(tables.workshop ?? {}, { version: 15 }),
      (scene) => {
        scene.tables.workshop = undefined;
      },
    ];
    for (const spoil of spoilt) expect(broken(spoil)).toEqual(['C4']);
  });
});

describe('C5: the checker finds', () => {
  /** Another event in the place of one. */
  const instead = (version: number, change: Partial<RecordedEvent>) => (scene: Scene) =>
    void Object.assign(event(scene, version), change);

  it('what its author had no right to', () => {
    const wrongs = [
      instead(4, { by: bo }),
      instead(9, { by: bo }),
      instead(13, { by: ana }),
      instead(8, { data: { userId: 9 }, by: 9 }),
      instead(7, { by: bo }),
      instead(16, { by: bo }),
      instead(15, { type: 'user-removed', by: ana, data: { userId: bo, by: ana } }),
      instead(15, { type: 'user-removed', by: host, data: { userId: host, by: host } }),
      instead(15, { type: 'cohost-promoted', by: 'system', data: { userId: bo, by: host } }),
    ];
    for (const wrong of wrongs) expect(broken(wrong)).toContain('C5');
  });
  it('what could not happen any more, or not yet', () => {
    const wrongs = [
      instead(5, { type: 'hand-raised' }),
      instead(14, { type: 'hand-lowered' }),
      instead(6, { by: ana, data: { userId: ana } }),
      instead(15, { data: { userId: 9 } }),
      instead(13, { data: { id: 10, by: host } }),
      instead(4, { data: { status: 'ended' } }),
      instead(2, { type: 'workshop-scheduled' }),
      ({ events }: Scene) =>
        events.push({ ...(events[7] as RecordedEvent), version: 17, by: 4, data: { userId: 4 } }),
    ];
    for (const wrong of wrongs) expect(broken(wrong)).toContain('C5');
  });
  it('one more than fit in', () => {
    const full = (scene: Scene) => {
      Object.assign(event(scene, 1).data as object, { capacity: 1 });
      scene.tables = expectedTables(scene.events);
    };
    expect(broken(full)).toEqual(['C5']);
  });
  it('nothing wrong with a type that it does not know', () => {
    const newer = (scene: Scene) => {
      const { at } = event(scene, 16);
      const data = { anything: true };
      scene.events.push({
        ...event(scene, 16),
        version: 17,
        eventId: 'e17',
        at,
        commandId: 'n',
        type: 'newer',
        data,
      });
      scene.recording.steps.push({
        ...{ ms: 999, connection: 2, kind: 'heard', name: 'newer' },
        payload: { workshopId, version: 17, at: new Date(at).toISOString(), ...data },
      });
      scene.tables = expectedTables(scene.events);
    };
    expect(broken(newer)).toEqual([]);
  });
});

describe('C6: the checker finds', () => {
  const refused: Reply = { ok: false, error: { code: 'invalid_state', message: '', retryable: false } };

  it('something that was refused, or found to hold already, and done all the same', () => {
    for (const reply of [refused, answered(16, false)]) {
      const spoil = (scene: Scene) => {
        const answer = steps(scene, 'answered').findLast(({ commandId }) => commandId === 'c16');
        if (answer !== undefined) answer.reply = reply;
      };
      expect(broken(spoil)).toEqual(['C6']);
    }
  });
  it('something unanswered that was done and then refused when it was asked for again', () => {
    const spoil = (scene: Scene) => {
      const answer = steps(scene, 'answered').findLast(({ commandId }) => commandId === 'c11');
      if (answer !== undefined) answer.reply = refused;
    };
    expect(broken(spoil)).toEqual(['C6']);
  });
  it('nothing wrong with what was refused while an earlier sending was still on its way, and done after that', () => {
    const late = (scene: Scene) => {
      const answer = steps(scene, 'answered').findLast(({ commandId }) => commandId === 'c11');
      if (answer !== undefined) answer.reply = refused;
      scene.recording.began = 10_000;
    };
    expect(broken(late)).toEqual([]);
  });
  it('one wish that was done twice, under two ids', () => {
    const spoil = (scene: Scene) => {
      const [first] = steps(scene, 'asked').filter(({ commandId }) => commandId === 'c11');
      if (first !== undefined) first.commandId = 'c16';
    };
    expect(broken(spoil)).toContain('C6');
  });
});
