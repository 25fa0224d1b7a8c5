/** The script of a simulated workshop: the same seed, the same script, and one that a workshop could have written. */
import { describe, expect, test } from 'vitest';
import type { Act, PlanOptions } from '../../src/simulate/acts.ts';
import { planWorkshop, type Script } from '../../src/simulate/script.ts';
import { rehearse } from './rehearsal.ts';

const hour: PlanOptions = { seed: 7, attendees: 300, minutes: 60, graceMs: 15_000 };
const planned = (options: Partial<PlanOptions> = {}) => planWorkshop({ ...hour, ...options });
const named = <N extends Act['name']>({ acts }: Script, name: N) =>
  acts.filter((act): act is Extract<Act, { name: N }> => act.name === name);

describe('a script', () => {
  test('[U1] is the same for the same seed, and another one for another', () => {
    expect(planned()).toEqual(planned());
    expect(planned({ seed: 8 }).acts).not.toEqual(planned().acts);
  });

  test('[U1] has the same people who come at the same times, whatever the grace of the server', () => {
    const arrivals = (script: Script) => [
      script.people,
      named(script, 'join').filter(({ device }) => device === 0),
    ];
    expect(arrivals(planned({ graceMs: 29_000 }))).toEqual(arrivals(planned()));
  });

  const sizes = [1, 2, 3, 4, 8, 20, 60, 151].flatMap((attendees) =>
    [1, 10, 90].map((minutes) => ({ attendees, minutes })),
  );
  test.each(sizes)(
    '[U2] of $attendees people and $minutes minutes is one that the domain accepts',
    (size) => {
      for (let seed = 0; seed < 10; seed++) {
        const { outcomes, room } = rehearse(planned({ ...size, seed }));
        for (const { act, decision } of outcomes) {
          const due = act.refused === undefined ? 'append' : 'refused';
          expect(decision?.kind ?? 'append', `seed ${seed}: ${JSON.stringify(act)}`).toBe(due);
        }
        expect(room.status).toBe('ended');
        expect(new Set(rehearsalJoiners(outcomes)).size).toBe(size.attendees + 1);
      }
    },
  );

  test('[U2] is accepted by the domain for a whole hour of 300, and with a grace that leaves no room for long drops', () => {
    for (const options of [{}, { graceMs: 900_000, minutes: 10 }]) {
      const { outcomes } = rehearse(planned(options));
      const wrong = outcomes.filter(
        ({ act, decision }) =>
          decision !== undefined && decision.kind !== (act.refused === undefined ? 'append' : 'refused'),
      );
      expect(wrong).toEqual([]);
    }
  });
});

function rehearsalJoiners(outcomes: ReturnType<typeof rehearse>['outcomes']): number[] {
  return outcomes.flatMap(({ act }) => (act.name === 'join' ? [act.by] : []));
}

describe('an hour of 300', () => {
  const script = planned();
  const { events, present, room, outcomes } = rehearse(script);
  const of = (type: string) => events.filter((event) => event.type === type);
  const minuteOf = ({ at }: { at: number }) => (at - (room.startedAt ?? 0)) / 60_000;
  const presentAt = (minute: number) =>
    present[events.findLastIndex((event) => minuteOf(event) <= minute)] ?? 0;

  test('[U3] fills in waves around the start, with stragglers, and empties before it is ended', () => {
    expect(presentAt(-14)).toBeLessThan(30);
    expect(presentAt(-1)).toBeGreaterThan(90);
    expect(presentAt(3)).toBeGreaterThan(presentAt(-3) * 1.5);
    expect(Math.max(...present)).toBeGreaterThan(220);
    const first = new Set<number>();
    const late = of('user-joined').filter((event) => {
      const { userId } = event.data as { userId: number };
      return !first.has(userId) && first.add(userId) && minuteOf(event) > 5;
    });
    expect(late.length).toBeGreaterThan(20);
    expect(presentAt(59.9)).toBeLessThan(0.7 * presentAt(54));
    expect(presentAt(59.9)).toBeGreaterThan(50);
  });

  test('[U3] has drops within the grace that nobody notices, and others that end a stay', () => {
    const returns = outcomes.filter(({ act }) => act.name === 'return');
    const unnoticed = returns.filter(({ decision }) => decision === undefined);
    expect(unnoticed.length).toBeGreaterThan(20);
    expect(returns.length - unnoticed.length).toBeGreaterThan(10);
    expect(
      of('user-left').filter(({ data }) => (data as { reason: string }).reason === 'left').length,
    ).toBeGreaterThan(40);
    expect(named(script, 'join').filter(({ device }) => device === 1).length).toBeGreaterThan(20);
  });

  test('[U3] has a queue of hands with waiting times, approvals, hands that are taken down, and some up at the end', () => {
    expect(of('hand-raised').length).toBeGreaterThan(40);
    expect(of('speaker-approved').length).toBeGreaterThan(25);
    const lowered = named(script, 'lower-hand');
    expect(lowered.some(({ target }) => target === undefined)).toBe(true);
    expect(lowered.some(({ target }) => target !== undefined)).toBe(true);
    expect(named(script, 'mute-user').length).toBeGreaterThan(3);
    const up = new Map<number, number>();
    const waits: number[] = [];
    for (const { type, at, data } of events) {
      const { userId } = data as { userId: number };
      if (type === 'hand-raised') up.set(userId, at);
      if (type === 'speaker-approved') waits.push(at - (up.get(userId) ?? at));
    }
    waits.sort((one, other) => one - other);
    expect(waits[0]).toBeGreaterThan(3_000);
    expect(waits.at(-1)).toBeGreaterThan(60_000);
    expect(waits.at(-1)).toBeLessThan(20 * 60_000);
  });

  test('[U3] has a chat of bursts, words, sentences and pages, and some messages are taken back', () => {
    const lines = named(script, 'chat');
    expect(lines.length).toBeGreaterThan(400);
    expect(lines.length).toBeLessThan(2_500);
    const lengths = lines.map(({ message }) => [...message].length).sort((one, other) => one - other);
    expect(lengths[0]).toBeLessThan(10);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(70);
    expect(lengths.at(-1)).toBeGreaterThan(400);
    expect(lengths.at(-1)).toBeLessThanOrEqual(1_000);
    const perMinute = new Map<number, number>();
    for (const line of lines) {
      const minute = Math.floor(line.atMs / 60_000);
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1);
    }
    const counts = [...perMinute.values()].sort((one, other) => one - other);
    expect(counts.at(-1)).toBeGreaterThan(4 * (counts[Math.floor(counts.length / 2)] ?? 0));
    const deletions = named(script, 'delete-chat');
    expect(deletions.some(({ by, author }) => by === author)).toBe(true);
    expect(deletions.length).toBeLessThan(lines.length / 10);
  });

  test('[U3] warns its hecklers before they are removed, and does not let them in again', () => {
    const hecklers = script.people.filter(({ part }) => part === 'heckler');
    expect(hecklers.length).toBe(2);
    for (const { number, displayName } of hecklers) {
      const removal = named(script, 'remove-user').find(({ target }) => target === number);
      const warning = named(script, 'chat').find(({ message }) => message.includes(`@${displayName}`));
      expect(warning?.atMs).toBeLessThan(removal?.atMs ?? 0);
      const back = script.acts.filter(({ by, refused }) => by === number && refused === 'removed');
      expect(back.map(({ name }) => name)).toEqual(['join']);
      expect(back[0]?.atMs).toBeGreaterThan(removal?.atMs ?? 0);
    }
    expect(named(script, 'readmit-user')).toHaveLength(1);
  });

  test('[U3] changes its co-hosts on the way', () => {
    expect(named(script, 'promote-cohost').length).toBe(4);
    expect(named(script, 'demote-cohost').length).toBe(1);
    const moderating = named(script, 'approve-speaker').map(({ by }) => by);
    expect(new Set(moderating).size).toBeGreaterThan(2);
  });

  test('[U3] has RSVPs, invitations, and people who say that they come and do not', () => {
    expect(named(script, 'invite-users')[0]?.targets.length).toBeGreaterThan(10);
    expect(named(script, 'withdraw-rsvp').length).toBeGreaterThan(3);
    const came = new Set(named(script, 'join').map(({ by }) => by));
    expect(named(script, 'rsvp').filter(({ by }) => !came.has(by)).length).toBe(30);
  });
});
