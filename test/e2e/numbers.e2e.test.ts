/**
 * A simulated workshop on a real node, Redis and Postgres, counted three times over: by what its people were answered and
 * sent, by SQL over the tables, and by the timeline. `SIMULATED=300x60` plays an hour with 300 people.
 */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Timeline } from '../../src/history/timeline.ts';
import { type Played, play } from '../../src/simulate/play.ts';
import { restClient } from '../../src/simulate/rest.ts';
import { planWorkshop, type Script } from '../../src/simulate/script.ts';
import { signedTickets, type Ticket } from '../../src/simulate/tickets.ts';
import { type Node, startNode } from '../kit/node.ts';
import { startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import { redisClient } from '../kit/redis.ts';
import { clusterSettings, secret, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { boundsOf, type Numbers, numbersOf, type Observed, observing, percentile } from './observed.ts';

const [attendees = 40, minutes = 10] = (process.env.SIMULATED ?? '40x8').split('x').map(Number);
const speed = 60;
const graceMs = 500;
const seed = 11;
const host = 1;

let settings: Record<string, string>;
let node: Node;
let sql: postgres.Sql;
let script: Script;
let tickets: Map<number, Ticket>;
let observed: Observed;
let played: Played;
let numbers: Numbers;

beforeAll(
  async () => {
    settings = await clusterSettings();
    node = await startNode({ env: { ...settings, PRESENCE_GRACE_MS: String(graceMs) } });
    sql = postgres(settings.DATABASE_URL ?? '', { max: 1 });
    script = planWorkshop({ seed, attendees, minutes, graceMs: graceMs * speed });
    const signing = signedTickets({ secret, seed });
    tickets = new Map();
    for (const person of script.people) tickets.set(person.number, await signing.of(person));
    observed = observing();
    const { observer } = observed;
    const rest = restClient(node.url);
    played = await play({ script, rest, tickets, speed, signal: new AbortController().signal, observer });
    await until(async () => (await tableVersion()) === played.version, {
      what: `the tables to be at ${played.version}`,
      timeout: 30_000,
    });
    // Of the host's coming only the answer says when it was: nobody else was there to be sent it.
    const came = observed.done.find(({ act }) => act.by === host && act.name === 'join');
    numbers = numbersOf(observed, userIdOf(host), came?.answeredAt ?? Number.NaN);
  },
  60_000 + 2_000 * minutes,
);

afterAll(async () => {
  await sql?.end();
  await node?.close();
});

const userIdOf = (number: number) => tickets.get(number)?.userId ?? 0;

async function tableVersion(): Promise<number> {
  const [row] = await sql`select version::int from workshops where id = ${played.workshopId}`;
  return row?.version ?? 0;
}

/** One row of numbers. */
async function asked(query: postgres.PendingQuery<postgres.Row[]>): Promise<Record<string, number>> {
  const [row = {}] = await query;
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
}

const attendeeRows = () =>
  sql`select user_id::text as id, present_ms::text as ms from workshop_attendees
    where workshop_id = ${played.workshopId} and joined_at is not null`;

describe(`${attendees} simulated people in ${minutes} minutes`, () => {
  test('[U4] do all that the script says, and are sent the same events in the same order', () => {
    expect(played).toMatchObject({ complete: true, refused: {}, acts: script.acts.length });
    expect(observed.differences).toEqual([]);
    const versions = [...observed.heard.keys()].sort((one, other) => one - other);
    expect(versions.at(-1)).toBe(played.version);
    const [first = 0] = versions;
    expect(versions).toEqual(versions.map((_, index) => first + index));
    console.log(JSON.stringify({ ...played, seen: undefined }));
    console.log(JSON.stringify(played.seen));
  });

  test('[U5] are as many in the tables as their answers and events say', async () => {
    const joined = observed.done.filter(({ act, reply }) => act.name === 'join' && reply.ok);
    expect(new Set(joined.map(({ act }) => act.by)).size).toBe(attendees + 1);
    const row = await asked(sql`select count(*) as people from workshop_attendees
      where workshop_id = ${played.workshopId} and joined_at is not null`);
    expect(row.people).toBe(numbers.uniqueAttendees);
    expect(numbers.uniqueAttendees).toBe(attendees + 1);
  });

  test('[U5] were there for as long, each to the millisecond, and as their own answers allow', async () => {
    const rows = await attendeeRows();
    const people = rows.map(({ id, ms }) => ({ userId: Number(id), ms: Number(ms) }));
    for (const { userId, ms } of people)
      if (userId !== userIdOf(host))
        expect({ userId, ms }).toEqual({ userId, ms: numbers.presentMs.get(userId) });
    for (const { number } of script.people) {
      const ms = people.find(({ userId }) => userId === userIdOf(number))?.ms ?? 0;
      const { least, most } = boundsOf(observed, number, userIdOf(number));
      expect(ms, `person ${number}`).toBeGreaterThanOrEqual(least);
      expect(ms, `person ${number}`).toBeLessThanOrEqual(most);
    }
  });

  test('[U5] were at most as many at once', async () => {
    const row = await asked(sql`select max(present) as peak from (
      select sum(case type when 'user-joined' then 1 when 'user-left' then -1 when 'user-removed' then -1 else 0 end)
        over (order by version) as present
      from workshop_events where workshop_id = ${played.workshopId}) as counted`);
    expect(row.peak).toBe(numbers.peakPresent);
    expect(played.seen.peakPresent).toBe(numbers.peakPresent);
  });

  test('[U5] wrote as many messages, and took as many back', async () => {
    const answered = (name: string) =>
      observed.done.filter(({ act, reply }) => act.name === name && reply.ok && reply.changed).length;
    const row =
      await asked(sql`select count(*) filter (where deleted_at is null) as messages, count(*) as written
      from workshop_chat_messages where workshop_id = ${played.workshopId}`);
    expect(row).toEqual({ messages: numbers.messages, written: answered('chat') });
    expect(numbers.messages).toBe(answered('chat') - answered('delete-chat'));
  });

  test('[U5] raised as many hands, and waited as long for their turn', async () => {
    const raised = observed.done.filter(
      ({ act, reply }) => act.name === 'raise-hand' && reply.ok && reply.changed,
    );
    expect(numbers.handsRaised).toBe(raised.length);
    const waits = await sql`
      select (extract(epoch from approved.at - (
        select max(raised.at) from workshop_events raised
        where raised.workshop_id = approved.workshop_id and raised.type = 'hand-raised'
          and raised.version < approved.version and raised.data->'userId' = approved.data->'userId')) * 1000)::int as ms
      from workshop_events approved
      where workshop_id = ${played.workshopId} and type = 'speaker-approved' order by 1`;
    expect(waits.map(({ ms }) => ms)).toEqual(numbers.handWaitsMs);
    expect(numbers.handWaitsMs.length).toBeGreaterThan(0);
  });

  test('[U9] have the same totals by the timeline, by SQL, and by their own count', async () => {
    const { totals } = await timeline();
    const present = await asked(sql`select count(*) as n, avg(present_ms) as average,
      percentile_cont(0.5) within group (order by present_ms) as median
      from workshop_attendees where workshop_id = ${played.workshopId} and joined_at is not null`);
    expect(totals).toMatchObject({
      uniqueAttendees: numbers.uniqueAttendees,
      peakPresent: numbers.peakPresent,
      averageMinutesPresent: sixDecimals((present.average ?? 0) / 60_000),
      medianMinutesPresent: sixDecimals((present.median ?? 0) / 60_000),
      messages: numbers.messages,
      handsRaised: numbers.handsRaised,
      medianHandWaitMs: sixDecimals(percentile(numbers.handWaitsMs, 0.5)),
      p90HandWaitMs: sixDecimals(percentile(numbers.handWaitsMs, 0.9)),
    });
    // When the host came is known to them within a round trip alone.
    const [least, most] = (['least', 'most'] as const).map((bound) => {
      const ofHost = boundsOf(observed, host, userIdOf(host))[bound];
      return [...new Map(numbers.presentMs).set(userIdOf(host), ofHost).values()].sort((a, b) => a - b);
    }) as [number[], number[]];
    const within = (value: number | null, low: number, high: number) => {
      expect(value ?? Number.NaN).toBeGreaterThanOrEqual(sixDecimals(low / 60_000));
      expect(value ?? Number.NaN).toBeLessThanOrEqual(sixDecimals(high / 60_000));
    };
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    within(totals.averageMinutesPresent, mean(least), mean(most));
    within(totals.medianMinutesPresent, percentile(least, 0.5), percentile(most, 0.5));
    const spoke = await asked(sql`select count(*) as people from workshop_attendees a
      where workshop_id = ${played.workshopId} and joined_at is not null and (exists (
        select from workshop_chat_messages m
        where m.workshop_id = a.workshop_id and m.user_id = a.user_id and m.deleted_at is null) or exists (
        select from workshop_events e where e.workshop_id = a.workshop_id and e.type in ('hand-raised', 'speaker-approved')
          and (e.data->>'userId')::bigint = a.user_id))`);
    const { authors, raisers, speakers, uniqueAttendees } = numbers;
    expect(spoke.people).toBe(new Set([...authors, ...raisers, ...speakers]).size);
    expect(totals.spokeUpShare).toBe(sixDecimals((spoke.people ?? 0) / uniqueAttendees));
  });

  test('[U9] are all that before and after they are archived', { timeout: 120_000 }, async () => {
    const before = await timeline();
    await isVerified();
    expect(await run('check-replay')).toMatchObject({ workshops: 0, differences: 0 });
    await node.close();
    node = await startNode({ env: { ...settings, ARCHIVE_AFTER_MINUTES: '0' } });
    const redis = redisClient(settings.REDIS_URL ?? '');
    const streams = async () => (await redis.keys('ws:*:events')).length;
    await until(async () => (await streams()) === 0, { what: 'it to be archived', timeout: 60_000 });
    redis.disconnect();
    expect(await timeline()).toEqual(before);
    await isVerified();
    expect(await run('check-replay')).toMatchObject({
      ...{ workshops: 1, events: played.version, differences: 0 },
    });
  });
});

async function timeline() {
  const bearer = await token({ id: 900_000, roles: ['analyst'] });
  const answer = await fetch(`${node.url}/api/workshops/${played.workshopId}/timeline`, {
    headers: { authorization: `Bearer ${bearer}` },
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Timeline;
}

const sixDecimals = (value: number) => Math.round(value * 1e6) / 1e6;

/** The last line that a command prints for programs. It has to end well. */
async function run(...args: string[]): Promise<Record<string, number>> {
  const running = await startProcess({
    ...{ command: process.execPath, args: [program, ...args, '--json'], env: settings },
  });
  const { code } = await running.ended;
  expect({ code, output: running.output() }).toMatchObject({ code: 0 });
  return JSON.parse(running.stdout().trimEnd().split('\n').at(-1) ?? '');
}

async function isVerified(): Promise<void> {
  expect(await run('verify', '--all')).toMatchObject({ workshops: 1, differences: 0 });
}
