/** A replay against the server's own history: at every version and moment asked for, the room that `GET …/state` tells. */
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chapterSize } from '../../src/client/replay/chapter.ts';
import { type Replay, type ReplayOptions, workshopReplay } from '../../src/client/replay/replay.ts';
import { type RoomView, roomView } from '../../src/client/roomView.ts';
import type { User } from '../../src/domain/define.ts';
import { chatKept } from '../../src/domain/room.ts';
import { people, type RestServer, restServer, tokenOf } from '../api/restServer.ts';
import { appendChat } from '../kit/appendChat.ts';
import { closingAfterEach } from '../kit/closing.ts';
import { until } from '../kit/until.ts';

const { host, coHost, member, analyst } = people;
const closing = closingAfterEach();
let server: RestServer;
let id: number;
let lastVersion: number;
/** Paths that were asked for. */
const asked: string[] = [];

beforeAll(async () => {
  server = await restServer({ projecting: false });
  server.app.server.on('request', ({ url = '' }) => asked.push(url));
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  id = await longWorkshop();
  lastVersion = await server.command(id, host, 'end');
}, 60_000);
afterAll(async () => {
  // A question that was taken back before it was sent leaves a connection that nothing was ever asked on.
  server.app.server.closeAllConnections();
  await server.close();
});

const url = () => `http://127.0.0.1:${(server.app.server.address() as AddressInfo).port}`;
const talk = (count: number) => appendChat(server.log, { workshopId: id, count, message: 'on we go' });

/** Four chapters and a half, with somebody coming, asking, speaking or going in each of them. */
async function longWorkshop(): Promise<number> {
  id = await server.workshop({ live: true });
  await server.command(id, host, 'join');
  await talk(700);
  await server.command(id, member, 'join');
  await server.command(id, member, 'raise-hand');
  await talk(900);
  const said = await server.command(id, member, 'chat', { message: 'regretted' });
  await server.command(id, host, 'approve-speaker', { targetUserId: member.userId });
  await server.command(id, coHost, 'join');
  await talk(1_000);
  await server.command(id, host, 'delete-chat', { messageId: said });
  await server.command(id, coHost, 'raise-hand');
  await server.command(id, member, 'leave');
  await talk(chapterSize);
  await server.command(id, member, 'join');
  await talk(500);
  return id;
}

async function replayOf(
  workshopId: number,
  options: ReplayOptions = {},
  who: User = analyst,
): Promise<Replay> {
  const replay = closing(workshopReplay(workshopId, { url: url(), token: await tokenOf(who), ...options }));
  replay.open();
  return replay;
}

/** Ready, and shows that version or moment. */
async function shown(replay: Replay, what: { version?: number; at?: number } = {}): Promise<RoomView> {
  await until(
    () => {
      const { phase, view, at } = replay.snapshot();
      if (phase !== 'ready' || view === null) return false;
      return (what.version ?? view.version) === view.version && (what.at ?? at) === at;
    },
    { what: `${JSON.stringify(what)}, not ${JSON.stringify({ ...replay.snapshot(), view: null })}` },
  );
  return replay.snapshot().view as RoomView;
}

async function told(query: string): Promise<RoomView> {
  const { status, body } = await server.ask(analyst, `GET /api/workshops/${id}/state${query}`);
  expect(status).toBe(200);
  return roomView(body);
}

/** As the server tells a state: a view that was played to may hold more of the chat, and another epoch, which is the log's. */
const asTold = (view: RoomView) => ({ ...view, chat: view.chat.slice(-chatKept), epoch: '' });

describe('a replay', () => {
  it('[H10] shows at any version, in any order, what the server tells of it', async () => {
    const replay = await replayOf(id);
    await shown(replay);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: lastVersion }), async (version) => {
        replay.seekVersion(version);
        expect(asTold(await shown(replay, { version }))).toEqual(asTold(await told(`?version=${version}`)));
      }),
      { numRuns: 60, examples: [[1], [lastVersion], [chapterSize], [chapterSize + 1], [2 * chapterSize]] },
    );
  }, 60_000);

  it('[H10] shows at any moment what the server tells of it, at once where it has been near', async () => {
    const replay = await replayOf(id);
    await shown(replay);
    const { startedAt, until: end } = replay.snapshot();
    if (startedAt === null) throw new Error('it was live');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: startedAt, max: end }), async (at) => {
        replay.seek(at);
        expect(asTold(await shown(replay, { at }))).toEqual(asTold(await told(`?at=${at}`)));
      }),
      { numRuns: 60, examples: [[startedAt], [end]] },
    );
    // A moment after one stays somewhere its surroundings are here, and what is asked for is there before the call is over.
    const middle = (startedAt + end) / 2;
    replay.seek(middle);
    const { version } = await shown(replay, { at: middle });
    const isThereAtOnce = () => {
      replay.seek(middle);
      return replay.snapshot().phase === 'ready';
    };
    await until(isThereAtOnce, { what: 'what is around' });
    const before = asked.length;
    replay.seekVersion(Math.max(1, version - 1));
    expect(isThereAtOnce()).toBe(true);
    expect(replay.snapshot()).toMatchObject({ phase: 'ready', at: middle, view: { version } });
    expect(asked.slice(before).filter((path) => path.includes('/state'))).toEqual([]);
  }, 60_000);

  it('[H11] steps from event to event, also to before it went live', async () => {
    const replay = await replayOf(id);
    const { version } = await shown(replay);
    replay.step(1);
    await shown(replay, { version: version + 1 });
    replay.step(-3);
    const before = await shown(replay, { version: version - 2 });
    expect(before).toMatchObject({ status: 'scheduled', startedAt: null });
    replay.step(-1_000);
    expect(await shown(replay, { version: 1 })).toMatchObject({ title: 'Weaving', attendees: [] });
  });

  it('[H11] plays every event in order to the end, and from the beginning again', async () => {
    const replay = await replayOf(id);
    await shown(replay);
    const versions: number[] = [];
    replay.subscribe(() => versions.push(replay.snapshot().view?.version ?? 0));
    replay.setSpeed(16);
    replay.play();
    await until(() => !replay.snapshot().playing, { what: 'the end', timeout: 20_000 });
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(asTold(await shown(replay, { version: lastVersion }))).toEqual(asTold(await told('')));
    replay.setSpeed(1);
    replay.play();
    expect(replay.snapshot()).toMatchObject({ playing: true });
    await until(() => (replay.snapshot().view?.version ?? lastVersion) < lastVersion, { what: 'it again' });
    replay.pause();
    expect(replay.snapshot()).toMatchObject({ playing: false });
  }, 40_000);

  it('[H12] of a hundred moments that a slider asks for shows the last one, and asks for few', async () => {
    const replay = await replayOf(id);
    await shown(replay);
    const { startedAt, until: end } = replay.snapshot();
    const length = end - (startedAt ?? 0);
    const before = asked.length;
    for (let step = 1; step <= 100; step++) replay.seek((startedAt ?? 0) + (length * step) / 100);
    expect(asTold(await shown(replay, { at: end }))).toEqual(asTold(await told(`?at=${end}`)));
    const states = asked.slice(before).filter((path) => path.includes('/state?at='));
    expect(states.length).toBeLessThan(5);
  });

  it('[H13] follows a workshop that goes on, and takes away what is deleted meanwhile', async () => {
    const open = await server.workshop({ live: true });
    await server.command(open, host, 'join');
    const said = await server.command(open, host, 'chat', { message: 'regretted' });
    // Its clock is ahead, so that nothing is played later than it happens.
    const replay = await replayOf(open, { now: () => Date.now() + 60_000 });
    await shown(replay);
    expect(replay.snapshot()).toMatchObject({ isOpen: true });
    replay.seekVersion(said);
    expect((await shown(replay, { version: said })).chat).toMatchObject([{ message: 'regretted' }]);
    replay.setSpeed(16);
    replay.play();
    await server.command(open, host, 'delete-chat', { messageId: said });
    const version = await server.command(open, member, 'join');
    await shown(replay, { version });
    expect(replay.snapshot()).toMatchObject({ playing: true, lastVersion: version });
    replay.seekVersion(said);
    expect((await shown(replay, { version: said })).chat).toMatchObject([{ message: null, deleted: true }]);
    const ended = await server.command(open, host, 'end');
    await until(() => !replay.snapshot().isOpen, { what: 'its end', timeout: 10_000 });
    expect(replay.snapshot().lastVersion).toBe(ended);
  }, 30_000);

  it('[H13] of a workshop that is not live yet shows how it is, and begins when it goes live', async () => {
    const early = await server.workshop();
    const replay = await replayOf(early);
    await shown(replay);
    replay.play();
    replay.seek(Date.now());
    expect(replay.snapshot()).toMatchObject({ startedAt: null, playing: false, phase: 'ready' });
    await server.command(early, host, 'start');
    await until(() => replay.snapshot().startedAt !== null, { what: 'the start', timeout: 10_000 });
    expect(await shown(replay)).toMatchObject({ status: 'live' });
  }, 20_000);

  it('[H14] says why there is none, waits out what passes, and goes on after it was closed', async () => {
    const forbidden = await replayOf(id, {}, member);
    await until(() => forbidden.snapshot().phase === 'failed', { what: 'a refusal' });
    expect(forbidden.snapshot().error).toMatchObject({ code: 'forbidden' });
    forbidden.seek(1);
    forbidden.play();
    expect(forbidden.snapshot()).toMatchObject({ phase: 'failed', playing: false });

    const away = await replayOf(id, { url: 'http://127.0.0.1:9' });
    await until(() => away.snapshot().error?.code === 'unavailable', { what: 'a delay' });
    expect(away.snapshot().phase).toBe('loading');

    const replay = await replayOf(id);
    await shown(replay);
    replay.seekVersion(2_500);
    replay.close();
    replay.open();
    await shown(replay, { version: 2_500 });
  });
});
