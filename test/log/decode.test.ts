/** Entries of streams as programs of other versions may have written them. */
import { describe, expect, test } from 'vitest';
import { feedEntry, feedSequence, recordedEvent, type StreamEntry } from '../../src/log/redis/decode.ts';

const event = {
  version: 3,
  at: 1_700_000_000_123,
  eventId: 'e3',
  type: 'chat-message',
  schema: 2,
  by: 7,
  commandId: 'c3',
  data: { text: 'data' },
};
const fields: [name: string, value: string][] = [
  ['event', 'e3'],
  ['type', 'chat-message'],
  ['schema', '2'],
  ['at', '1700000000123'],
  ['by', '7'],
  ['command', 'c3'],
  ['data', '{"text":"data"}'],
];
const entry = (...pairs: [string, string][]): StreamEntry => ['3-0', pairs.flat()];

describe('an entry of a stream', () => {
  test('[L18] is read in every order of its fields', () => {
    expect(recordedEvent(entry(...fields))).toEqual(event);
    expect(recordedEvent(entry(...fields.toReversed()))).toEqual(event);
    for (let first = 1; first < fields.length; first++)
      expect(recordedEvent(entry(...fields.slice(first), ...fields.slice(0, first)))).toEqual(event);
  });

  test('[L18] is read with fields that are not known, wherever they are, and whatever their values', () => {
    for (let place = 0; place <= fields.length; place++) {
      const more: [string, string][] = [
        ['trace', 'data'],
        ['event-id', 'x'],
      ];
      expect(recordedEvent(entry(...fields.toSpliced(place, 0, ...more)))).toEqual(event);
    }
  });

  test('[L18] that lacks a field is unreadable, whichever it is, and however its values look', () => {
    for (const [missing] of fields) {
      const rest = fields.filter(([name]) => name !== missing);
      expect(() => recordedEvent(entry(...rest)), missing).toThrow(SyntaxError);
      // One of the same length, with the name as a value.
      expect(() => recordedEvent(entry(...rest, ['other', missing])), missing).toThrow(SyntaxError);
    }
    expect(() => recordedEvent(['3-0', entry(...fields)[1].slice(0, -1)])).toThrow(SyntaxError);
    expect(() => recordedEvent(['3-0', []])).toThrow(SyntaxError);
  });

  test('whose author is the system, or whose data is no JSON', () => {
    const changed = (name: string, value: string) =>
      entry(...fields.map((field): [string, string] => (field[0] === name ? [name, value] : field)));
    expect(recordedEvent(changed('by', 'system')).by).toBe('system');
    expect(() => recordedEvent(changed('data', '{"text":'))).toThrow(SyntaxError);
  });
});

describe('an entry of a feed', () => {
  const head: [string, string][] = [
    ['w', '71'],
    ['v', '3'],
    ['e', 'epoch'],
    ['at', '1700000000123'],
  ];
  const first = ['e3', 'chat-message', '2', '7', 'c3', '{"text":"data"}'];
  const second = ['e4', 'hand-raised', '1', 'system', 'c4', '{}'];
  const events = [
    event,
    {
      ...{ version: 4, at: event.at, eventId: 'e4', type: 'hand-raised', schema: 1 },
      ...{ by: 'system', commandId: 'c4', data: {} },
    },
  ];
  const feed = (...values: string[]): StreamEntry => ['1000001-0', values];
  const read = (...values: string[]) => {
    const { events, ...rest } = feedEntry(feed(...values));
    return { ...rest, events: events() };
  };
  const whole = { workshopId: 71, from: 3, to: 4, epoch: 'epoch', events };
  const each = 'event type schema by command data';

  test('[L18] is read as it is written, plainly', () => {
    expect(read(...head.flat(), ...first, ...second)).toEqual(whole);
    expect(read(...head.flat())).toEqual({ ...whole, to: 2, events: [] });
    expect(feedSequence(feed())).toBe(1_000_001);
  });

  test('[L18] is read as a later version may write it, described, with the same result', () => {
    const described = (values: string, ...list: string[][]) => [
      ...['each', values, ...head.flat(), 'events', String(list.length)],
      ...list.flat(),
    ];
    expect(read(...described(each, first, second))).toEqual(whole);
    expect(read(...described(each))).toEqual({ ...whole, to: 2, events: [] });
    // In another order, and with more to each event: even with as many values as a plain one has.
    const turned = [first, second].map((values) => values.toReversed());
    expect(read(...described('data command by schema type event', ...turned))).toEqual(whole);
    const traced = [first, second].map((values) => ['trace', ...values, 'more']);
    expect(read(...described(`before ${each} after`, ...traced))).toEqual(whole);
  });

  test('[L18] has its head in every order, with whatever else there is, and values that read like names', () => {
    const more: [string, string][] = [
      ['by', 'events'],
      ['x', 'w'],
    ];
    for (let place = 0; place <= head.length; place++) {
      const turned = head.toSpliced(place, 0, ...more).toReversed();
      expect(read('each', each, ...turned.flat(), 'events', '2', ...first, ...second)).toEqual(whole);
    }
    // Redis wants an even number of values: what is left over says nothing.
    const narrow = ['each', `${each} x`, ...head.flat(), 'events', '1', ...first, 'x', 'left over'];
    expect(read(...narrow)).toEqual({ ...whole, to: 3, events: [event] });
  });

  test('[L18] that lacks a part is unreadable: of its head at once, of its events once they are read', () => {
    for (const [missing] of head) {
      const rest = head.filter(([name]) => name !== missing);
      expect(() => read(...rest.flat(), ...first), missing).toThrow(SyntaxError);
      expect(() => read('each', each, ...rest.flat(), 'events', '1', ...first), missing).toThrow(SyntaxError);
    }
    expect(() => feedEntry(feed('each', each, ...head.flat()))).toThrow(SyntaxError);
    expect(() => feedEntry(feed('each'))).toThrow(SyntaxError);
    for (const count of ['x', '-1', '0.5'])
      expect(() => feedEntry(feed('each', each, ...head.flat(), 'events', count, ...first))).toThrow(
        SyntaxError,
      );
    expect(() => feedEntry(feed(...head.flat(), ...first, 'one', 'more'))).toThrow(SyntaxError);

    for (const name of each.split(' ')) {
      const without = each.replace(name, 'x');
      const entry = feedEntry(feed('each', without, ...head.flat(), 'events', '1', ...first));
      expect([entry.from, entry.to]).toEqual([3, 3]);
      expect(() => entry.events(), name).toThrow(SyntaxError);
    }
    const short = feedEntry(feed('each', each, ...head.flat(), 'events', '2', ...first));
    expect(() => short.events()).toThrow(SyntaxError);
  });
});
