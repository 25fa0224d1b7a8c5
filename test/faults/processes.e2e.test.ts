/** Nodes that are killed, frozen and set wrong, and a Redis that drops them, while two of them share rooms full of people. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisLog } from '../../src/log/redis/log.ts';
import type { Reply } from '../../src/protocol/wire.ts';
import { networkTo } from '../kit/network.ts';
import { type Person, person } from '../kit/person.ts';
import type { Gathering } from '../kit/scene.ts';
import { type Json, restAt } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { type Stage, type StagedNode, stage } from './stage.ts';

let on: Stage;
let here: StagedNode;
let there: StagedNode;
let forsaken: Gathering;
let closing: (() => Promise<void>) | undefined;

beforeAll(async () => {
  // An hour ahead and an hour behind: whatever is decided or noted by a node's own clock goes wrong in every test here.
  const preload = new URL('clock.js', import.meta.url);
  const hour = 3_600_000;
  on = await stage({
    nodes: [hour, -hour].map((shift) => ({ preload, env: { CLOCK_SHIFT_MS: String(shift) } })),
  });
  [here, there] = on.nodes as [StagedNode, StagedNode];
  forsaken = await forsake();
}, 60_000);
afterAll(async () => {
  await on?.close();
  await closing?.();
});

async function messagesOf(workshopId: number, text: string): Promise<number> {
  const events = `/api/workshops/${workshopId}/events?type=chat-message&limit=1000`;
  const { body } = await restAt(there.url)(1, 'GET', events);
  return body.items.filter(({ data }: Json) => data.message === text).length;
}

/** Someone whose line dies, and who does not come back; the last test looks what became of them. */
async function forsake(): Promise<Gathering> {
  const [host, line] = [there.people, await networkTo(there.url)];
  // User 1 is sent to the second address, user 2 to the first.
  const room = await on.gather('F16, forsaken', 2, { through: [line.url, host.url], restless: false });
  line.swallow();
  // Nothing of its end gets through.
  for (const gone of room.people.splice(1)) gone.close();
  closing = () => line.close();
  return room;
}

describe('a node that is killed', { timeout: 60_000 }, () => {
  it('[F1] loses nothing that it acknowledged, and what it did not answer is done once on the next node', async () => {
    const careful = await on.gather('F1', 12);
    const careless = await on.gather('F1, ids made anew', 8, { repeats: 'under-a-new-id', comings: false });
    for (const each of [careful, careless]) each.begin(50);
    await on.grows(careful, 20);
    // Done, and not answered: the moment at which a client cannot know.
    here.people.deafen();
    await on.grows(careful, 20);
    for (const each of careless.people) void each.send('chat', { message: 'told to nobody' });
    await until(
      async () => (await messagesOf(careless.workshopId, 'told to nobody')) === careless.people.length,
      {
        what: 'what the careless say to be in the log',
      },
    );
    await here.kill();
    // What was on its way to them is lost with the connections.
    here.people.cut('rst');
    here.people.mend();
    await on.grows(careful, 20);
    await here.start();
    await on.grows(careful, 20);
    await on.allIsWell([careful]);
    // The same fault does harm where a client takes another id for what it repeats, and the checker finds it.
    const { violations } = await on.verdict([careless]);
    expect(new Set(violations.map(({ invariant }) => invariant))).toEqual(new Set(['C6']));
    careless.close();
  });
});

describe('a command', { timeout: 60_000 }, () => {
  it('[F12] that comes three times under one id, over two nodes, is done once and always answered the same', async () => {
    const room = await on.gather('F12', 4, { comings: false });
    const { workshopId } = room;
    // The same user's other devices: on the other node, and on the same one again.
    const devices = [here, there, here].map((node) => person({ userId: 2, workshopId, nodes: [node.url] }));
    for (const each of devices) await each.join();
    const said = Array.from({ length: 30 }, (_, n) => ({ id: randomUUID(), message: `message ${n}` }));
    const say = ({ id, message }: (typeof said)[number]) =>
      Promise.all(devices.map((each) => each.send('chat', { message }, id)));
    const answers = await Promise.all(said.map(say));
    for (const [one, ...others] of answers) {
      expect(one).toMatchObject({ ok: true, changed: true });
      expect(others).toEqual([one, one]);
    }
    // Later, when much has happened since.
    expect(await Promise.all(said.map(say))).toEqual(answers);
    room.people.push(...devices);
    const { log } = await on.allIsWell([room]);
    const messages = log.get(workshopId)?.filter(({ type }) => type === 'chat-message') ?? [];
    expect(messages.map(({ data }) => (data as { message: string }).message).sort()).toEqual(
      said.map(({ message }) => message).sort(),
    );
  });
});

describe('a node that is frozen past its leases', { timeout: 60_000 }, () => {
  it('[F20] decides on nothing that it knew before, and takes its people up again', async () => {
    const room = await on.gather('F20', 4, { comings: false, also: [5, 6] });
    const { workshopId, people } = room;
    const host = person({ userId: 1, workshopId, nodes: [there.url] });
    const stay = { workshopId, nodes: [here.url], restless: false };
    const [removed, loyal] = [person({ userId: 5, ...stay }), person({ userId: 6, ...stay })];
    people.push(host, removed, loyal);
    for (const each of [host, removed, loyal]) await each.join();
    await here.freeze();
    const late = [
      removed.send('chat', { message: 'from the ice' }),
      loyal.send('chat', { message: 'me too' }),
    ];
    expect(await host.send('remove-user', { targetUserId: 5 })).toMatchObject({ ok: true, changed: true });
    const isGone = () => host.view?.attendees.every(({ userId }) => userId !== 6);
    await until(isGone, { what: 'the leases to run out', timeout: 10_000 });
    here.thaw();
    expect(await late[0]).toMatchObject({ ok: false, error: { code: 'removed' } });
    // Gone by the log, and in the room again as soon as the node has read that: one of the two was first.
    expect([{ ok: true }, { ok: false, error: { code: 'not_joined' } }]).toContainEqual(brief(await late[1]));
    await until(() => host.view?.attendees.some(({ userId }) => userId === 6), {
      what: 'who stayed to be taken up again',
      timeout: 10_000,
    });
    expect(await loyal.send('chat', { message: 'as before' })).toMatchObject({ ok: true });
    people.splice(people.indexOf(removed), 1);
    removed.close();
    await on.allIsWell([room]);
  });
});

/** Without what is of no matter. */
const brief = (reply: Reply | undefined) =>
  reply?.ok === false ? { ok: false, error: { code: reply.error.code } } : { ok: reply?.ok };

describe('a clock that is an hour off', { timeout: 60_000 }, () => {
  it('[F13] changes neither times nor order, and opens no lobby', async () => {
    const rest = restAt(there.url);
    const plan = { title: 'Soon', scheduledAt: new Date(Date.now() + 40 * 60_000).toISOString() };
    const planned = await rest({ id: 1, expiresIn: 9_000 }, 'POST', '/api/workshops', plan);
    const room = await on.gather('F13', 6);
    room.begin(40);
    await on.grows(room, 60);
    const { log } = await on.allIsWell([room]);
    for (const { at } of log.get(room.workshopId) ?? [])
      expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
    const { body } = await rest({ id: 1, expiresIn: 9_000 }, 'GET', `/api/workshops/${planned.body.id}`);
    expect(body.status).toBe('scheduled');
  });
});

describe('under load', { timeout: 60_000 }, () => {
  /** Does something to Redis again and again while a room is busy; nothing may be seen of it but delays. */
  async function meanwhile(title: string, harm: () => Promise<unknown>, everyMs: number): Promise<void> {
    const room = await on.gather(title, 10);
    room.begin(60);
    for (let n = 0; n < 12; n++) {
      await harm();
      await sleep(everyMs);
    }
    await on.grows(room, 20);
    await on.allIsWell([room]);
  }

  it('[F25] every connection of the nodes is killed, again and again', () =>
    meanwhile('CLIENT KILL', () => on.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'), 300));

  it('[F26] the scripts are forgotten, again and again', () =>
    meanwhile('SCRIPT FLUSH', () => on.client.call('SCRIPT', 'FLUSH', 'SYNC'), 100));

  it('[F27] the doorbells fall silent', () =>
    meanwhile('doorbells', () => on.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'), 100));

  it('[F28] the feeds are trimmed before they are read', () =>
    meanwhile(
      'XTRIM',
      async () => {
        for (const feed of await on.client.keys('ws:*:feed')) await on.client.xtrim(feed, 'MAXLEN', 1);
      },
      50,
    ));
});

describe('a newer version beside this one', { timeout: 60_000 }, () => {
  it('[F18] may record what is not known here: it is counted, passed on and kept', async () => {
    const room = await on.gather('F18', 6, { comings: false });
    const { workshopId } = room;
    const newer = await redisLog({ address: { url: on.redis.url }, onError: () => undefined });
    try {
      room.begin(30);
      for (let n = 0; n < 10; n++) {
        const known = [{ type: 'confetti-thrown', schema: 9, data: { userId: 1, colour: 'red' } }];
        const head = await newer.events.head(workshopId);
        const appended = await newer.events.append({
          ...{ workshopId, base: head?.version ?? 0, deadline: newer.now() + 5_000, node: 'newer' },
          commands: known.map(({ type, schema, data }) => ({
            ...{ by: 1, commandId: randomUUID(), fingerprint: '', remember: false, reads: [] },
            events: [{ eventId: randomUUID(), type, schema, data: JSON.stringify(data), marks: [] }],
          })),
        });
        expect(appended.kind).toBe('appended');
        await sleep(50);
      }
    } finally {
      await newer.close();
    }
    const { log } = await on.allIsWell([room]);
    expect(log.get(workshopId)?.filter(({ type }) => type === 'confetti-thrown')).toHaveLength(10);
  });
});

describe('a line that is dead', { timeout: 60_000 }, () => {
  it('[F16] keeps place and hand of who comes back over another one, in one unbroken stay', async () => {
    const room = await on.gather('F16', 4, { comings: false, restless: false });
    const { workshopId, people, host } = room;
    const [, two, three] = people as [Person, Person, Person];
    await two.send('raise-hand');
    await three.send('raise-hand');
    const order = () => host.view?.raisedHands;
    await until(() => order()?.length === 2, { what: 'both hands to be up' });
    for (const node of [here, there]) node.people.swallow();
    // Straight to the nodes, past the networks that swallow everything.
    const again = person({ userId: 2, workshopId, nodes: [there.url] });
    expect(await again.join()).toMatchObject({ ok: true, changed: false });
    await again.send('chat', { message: 'over another line' });
    two.close();
    for (const node of [here, there]) node.people.mend();
    await until(() => host.view?.chat.at(-1)?.message === 'over another line', { what: 'the message' });
    people.splice(people.indexOf(two), 1, again);
    // Longer than the grace period of who drops.
    await sleep(1_500);
    expect(order()).toEqual([2, 3]);
    const { log } = await on.allIsWell([room]);
    expect(log.get(workshopId)?.filter(({ type }) => type === 'user-left')).toEqual([]);
  });

  it('[F16] takes who does not come back for gone, once heartbeats and grace have passed', async () => {
    const isGone = () => forsaken.host.view?.attendees.length === 1;
    await until(isGone, { what: 'the heartbeats to be missed', timeout: 55_000 });
    const { log } = await on.allIsWell([forsaken]);
    expect(log.get(forsaken.workshopId)?.at(-1)).toMatchObject({
      ...{ type: 'user-left', by: 'system' },
      data: { userId: 2, reason: 'disconnected' },
    });
  });
});
