/** `workshop export` as an analyst uses it: beside a running server on one folder, and on Redis and Postgres, archived too. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/command.ts';
import { exportCommand as command } from '../../src/cli/export.ts';
import { type Env, removeStream, runCommand, runUnread } from '../kit/commandLine.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { clusterSettings, liveWorkshop, type TestServer, testServer, token } from '../kit/server.ts';

const exporting = (env: Env, ...words: (string | number)[]) => runCommand(env, 'export', ...words);

/** Someone joins and says two things, one of which is taken back; then it ends. */
async function told(server: TestServer) {
  const workshopId = await liveWorkshop(server, [2], { title: 'Sourdough' });
  const guest = await server.connect({ id: 2, name: 'Ana' });
  await guest.say('join', { workshopId });
  await guest.say('chat', { workshopId, message: '=1+1' });
  const said = await guest.say('chat', { workshopId, message: 'regretted' });
  if (!said.ok) throw new Error(said.error.message);
  await guest.say('delete-chat', { workshopId, messageId: said.version });
  const { body } = await server.rest(1, 'POST', `/api/workshops/${workshopId}/end`);
  return { workshopId, ended: body.version as number };
}

async function byRest(server: TestServer, workshopId: number, query: string): Promise<string> {
  const headers = { authorization: `Bearer ${await token({ id: 1 })}` };
  return (await fetch(`${server.url}/api/workshops/${workshopId}/export?${query}`, { headers })).text();
}

describe('in embedded mode, beside the running server', () => {
  const folder = temporaryFolder('export');
  const env = { DATA_DIR: `${folder.path}/data` };
  let server: TestServer;
  let id: number;
  beforeAll(async () => {
    server = await testServer(env);
    id = (await told(server)).workshopId;
  }, 90_000);
  afterAll(async () => {
    await server.close();
    await folder.close();
  });

  it('[A18] writes what REST answers, to stdout and into a file', { timeout: 120_000 }, async () => {
    for (const [query, words] of [
      ['what=attendance', ['--what', 'attendance']],
      ['what=chat&format=vtt', ['--what', 'chat', '--format', 'vtt']],
      ['what=events&format=ndjson', ['--what', 'events', '--json']],
    ] as const) {
      const { code, out, all } = await exporting(env, id, ...words);
      expect(code, all).toBe(0);
      expect(out).toBe(await byRest(server, id, query));
      expect(out).not.toContain('regretted');
    }
    const file = `${folder.path}/chat.csv`;
    const raw = await exporting(env, id, '--what', 'chat', '--raw', '--out', file, '--json');
    expect(raw.code, raw.all).toBe(0);
    const text = readFileSync(file, 'utf8');
    expect(text).toBe(await byRest(server, id, 'what=chat&raw=1'));
    expect(JSON.parse(raw.out)).toMatchObject({
      ...{ workshopId: id, what: 'chat', format: 'csv', raw: true, file, bytes: Buffer.byteLength(text) },
    });
  });

  it('[A18] leaves no half file, and says in one line what was wrong', { timeout: 120_000 }, async () => {
    const failing = [
      ['4711', '--what', 'chat', '--out', `${folder.path}/none.csv`],
      [String(id), '--what', 'chat', '--out', `${folder.path}/missing/chat.csv`],
    ];
    for (const words of failing) {
      const { code, all } = await exporting(env, ...words);
      expect(code, all).toBe(1);
      expect(all.trim().split('\n')).toHaveLength(1);
    }
    expect(readdirSync(folder.path).filter((name) => /none|part/.test(name))).toEqual([]);
  });

  it.each([
    [{}, /--what .*attendance, chat, events/],
    [{ what: 'hands' }, /--what .*attendance, chat, events/],
    [{ what: 'chat', format: 'xlsx' }, /--format .*csv, ndjson, vtt/],
    [{ what: 'events', format: 'vtt' }, /--format: vtt is for chat alone/],
    [{ what: 'chat', intervals: true }, /--intervals.*attendance/],
  ])('[A18] takes %j as wrong usage', async (values, message) => {
    const wrong = command.run({ arguments: ['1'], values });
    await expect(wrong).rejects.toThrow(UsageError);
    await expect(wrong).rejects.toThrow(message);
  });

  it('[A18] takes no offence at a reader that has seen enough', { timeout: 60_000 }, async () => {
    expect(await runUnread(env, 'export', id, '--what', 'events')).toEqual({ code: 0, complaint: '' });
  });
});

it('[A19] a workshop is exported alike before and after its stream is gone', {
  timeout: 120_000,
}, async () => {
  const settings = await clusterSettings();
  const server = await testServer(settings);
  try {
    const { workshopId, ended } = await told(server);
    const timeline = async () =>
      (await server.rest(1, 'GET', `/api/workshops/${workshopId}/timeline?bucketMs=100`)).body;
    const everything = async () => {
      const shown = await exporting(settings, workshopId, '--what', 'events');
      expect(shown.code, shown.all).toBe(0);
      const queries = ['what=attendance', 'what=attendance&intervals=1', 'what=chat', 'what=events'];
      const texts = await Promise.all(queries.map((query) => byRest(server, workshopId, query)));
      return { shown: shown.out, texts, timeline: await timeline() };
    };
    const before = await everything();
    expect(before.shown).toBe(before.texts[3]);
    expect(before.timeline.totals).toMatchObject({ uniqueAttendees: 1, messages: 1 });
    await server.rest(1, 'GET', `/api/workshops/${workshopId}/attendees?minVersion=${ended}`);
    const state = async () => (await server.rest(1, 'GET', `/api/workshops/${workshopId}/state`)).body;
    await removeStream(settings.REDIS_URL, workshopId, async () => (await state()).epoch);
    expect(await everything()).toEqual(before);
  } finally {
    await server.close();
  }
});
