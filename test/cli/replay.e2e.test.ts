/** `workshop replay` as an analyst uses it: beside a running server on one folder, and on Redis and Postgres, archived too. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/command.ts';
import { replay as command } from '../../src/cli/replay.ts';
import { type Env, removeStream, runCommand, runUnread } from '../kit/commandLine.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { clusterSettings, type Json, liveWorkshop, type TestServer, testServer } from '../kit/server.ts';

const replay = (env: Env, ...words: (string | number)[]) => runCommand(env, 'replay', ...words);

/** Someone joins, raises a hand and says three things, one of which is taken back; then it ends. */
async function told(server: TestServer) {
  const workshopId = await liveWorkshop(server, [2], { title: 'Sourdough for two' });
  const [host, guest] = [await server.connect(1), await server.connect({ id: 2, name: 'Ana\u202e' })];
  const version = async (answer: Promise<Json>) => (await answer).version as number;
  await host.say('join', { workshopId });
  await guest.say('join', { workshopId });
  await guest.say('chat', { workshopId, message: 'hello\nto everyone' });
  const said = await version(guest.say('chat', { workshopId, message: 'regretted' }));
  const raised = await version(guest.say('raise-hand', { workshopId }));
  await guest.say('delete-chat', { workshopId, messageId: said });
  const { body } = await server.rest(1, 'POST', `/api/workshops/${workshopId}/end`);
  const state = async (query: string) =>
    (await server.rest(1, 'GET', `/api/workshops/${workshopId}/state${query}`)).body;
  return { workshopId, said, raised, ended: body.version as number, state };
}

describe('in embedded mode, beside the running server', () => {
  const folder = temporaryFolder('replay');
  const env = { DATA_DIR: `${folder.path}/data` };
  let server: TestServer;
  let story: Awaited<ReturnType<typeof told>>;
  beforeAll(async () => {
    server = await testServer(env);
    story = await told(server);
  }, 90_000);
  afterAll(async () => {
    await server.close();
    await folder.close();
  });

  it('[T12] prints the room for people', { timeout: 60_000 }, async () => {
    const { code, out, all } = await replay(env, story.workshopId, '--version', story.raised);
    expect(code, all).toBe(0);
    expect(out).toContain(`Workshop ${story.workshopId}: Sourdough for two\n`);
    expect(out).toMatch(
      new RegExp(`^live, version ${story.raised} of ${story.ended}, 20\\S+Z, \\S+ after the start$`, 'm'),
    );
    expect(out).toMatch(/^Present: 2\n {2}User 1 \(1\) +host\n {2}Ana {1,2}\(2\)$/m);
    expect(out).toMatch(/^Hands: 1\n {2}1\. {2}Ana/m);
    expect(out).toMatch(/Chat: the last 2\n.*hello to everyone\n.*\[deleted\]\n$/);
    for (const unwanted of ['regretted', '\u202e', '\u001b']) expect(out).not.toContain(unwanted);
  });

  it('[T12] prints with --json what the server answers for the same moment', {
    timeout: 60_000,
  }, async () => {
    const json = async (...args: (string | number)[]) =>
      JSON.parse((await replay(env, story.workshopId, '--json', ...args)).out);
    expect(await json('--version', story.said)).toEqual(await story.state(`?version=${story.said}`));
    expect(await json()).toEqual(await story.state(''));
    expect(await json('--offset', '0s')).toEqual(await story.state('?offsetMs=0'));
  });

  it('[T12] tells in one line what cannot be shown, and what cannot be asked', {
    timeout: 90_000,
  }, async () => {
    const cases: [number, RegExp, (string | number)[]][] = [
      [1, /no version 99, only 1 to \d+/, [story.workshopId, '--version', 99]],
      [1, /no workshop 4711/, [4_711]],
      [2, /--at yesterday.*2026-03-02T09:30:00Z/, [story.workshopId, '--at', 'yesterday']],
    ];
    for (const [wanted, line, args] of cases) {
      const { code, out, all } = await replay(env, ...args);
      expect({ code, out }, args.join(' ')).toEqual({ code: wanted, out: '' });
      expect(all.trim()).toMatch(line);
      expect(all.trim().split('\n')).toHaveLength(1);
    }
  });

  it.each([
    [[], {}, /one workshop id/],
    [['x'], {}, /not a workshop id/],
    [['1'], { version: '0' }, /--version 0 /],
    [['1'], { version: '1.5' }, /--version 1.5 /],
    [['1'], { at: '2026-03-02T09:30:00' }, /--at .*2026-03-02T09:30:00Z/],
    [['1'], { offset: '12' }, /--offset 12 .*12m30s/],
    [['1'], { offset: '-5m' }, /--offset -5m/],
    [['1'], { version: '1', offset: '1s' }, /one of --version and --offset/],
  ])('[T12] takes %j with %j as wrong usage', async (words, values, message) => {
    const wrong = command.run({ arguments: words, values });
    await expect(wrong).rejects.toThrow(UsageError);
    await expect(wrong).rejects.toThrow(message);
  });

  it('[T12] takes no offence at a reader that has seen enough', { timeout: 60_000 }, async () => {
    expect(await runUnread(env, 'replay', story.workshopId)).toEqual({ code: 0, complaint: '' });
  });
});

describe('on Redis and Postgres', () => {
  let settings: Record<string, string>;
  let server: TestServer;
  beforeAll(async () => {
    settings = await clusterSettings();
    server = await testServer(settings);
  }, 60_000);
  afterAll(() => server.close());

  it('[T6] a workshop is the same before and after its stream is gone', { timeout: 120_000 }, async () => {
    const { workshopId, raised, ended, state } = await told(server);
    const everything = async () => {
      const shown = await replay(settings, workshopId, '--version', raised, '--json');
      expect(shown.code, shown.all).toBe(0);
      const events = await server.rest(1, 'GET', `/api/workshops/${workshopId}/events`);
      const states = [
        JSON.parse(shown.out),
        await state(`?version=${raised}`),
        await state(''),
        await state('?offsetMs=5'),
      ];
      return { events: events.body, states: states.map(({ epoch: _, ...rest }) => rest) };
    };
    const before = await everything();
    expect(before.states[0]).toEqual(before.states[1]);
    expect(before.states[2]).toMatchObject({ version: ended, status: 'ended' });
    await server.rest(1, 'GET', `/api/workshops/${workshopId}/attendees?minVersion=${ended}`);
    await removeStream(settings.REDIS_URL, workshopId, async () => (await state('')).epoch);
    expect(await everything()).toEqual(before);
  });
});
