/** `workshop erase-user` as operators run it: beside the running server, and what its readers see afterwards. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataFolder } from '../kit/dataFolder.ts';
import type { TemporaryFolder } from '../kit/folder.ts';
import { startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import { type Serving, serving } from '../kit/serving.ts';
import { until } from '../kit/until.ts';

let folder: TemporaryFolder;
let server: Serving;

beforeAll(async () => {
  folder = await dataFolder('erase');
  server = await serving({ DATA_DIR: folder.path });
}, 60_000);
afterAll(async () => {
  await server.close();
  await folder.close();
});

async function eraseUser(...args: string[]) {
  const env = { DATA_DIR: folder.path, REDIS_URL: undefined, DATABASE_URL: undefined };
  const running = await startProcess({
    command: process.execPath,
    args: [program, 'erase-user', ...args],
    env,
  });
  const { code } = await running.ended;
  return { code, out: running.stdout(), all: running.output() };
}

describe('workshop erase-user', () => {
  it('[Z10] takes a person out of a workshop that goes on beside it, and tells what it did', {
    timeout: 60_000,
  }, async () => {
    const plan = { title: 'Dyeing', scheduledAt: new Date().toISOString() };
    const { id } = (await server.rest(1, 'POST', '/api/workshops', plan)).body;
    await server.rest(2, 'POST', `/api/workshops/${id}/rsvp`);
    const attendees = async () => (await server.rest(1, 'GET', `/api/workshops/${id}/attendees`)).body.items;
    const name = async () =>
      (await attendees())?.find(({ userId }: { userId: number }) => userId === 2)?.displayName;
    await until(async () => (await name()) !== undefined, {
      what: 'the RSVP in the tables',
      timeout: 20_000,
    });
    expect(await name()).not.toBe('Erased user');
    const { code, out, all } = await eraseUser('2', '--yes', '--json');
    expect(code, all).toBe(0);
    expect(JSON.parse(out)).toEqual({ userId: 2, workshops: 1, events: 1, messages: 0 });
    expect(await name()).toBe('Erased user');
    const { body } = await server.rest(1, 'GET', `/api/workshops/${id}/events`);
    expect(body.items.map(({ type, data }: { type: string; data: object }) => [type, data])).toContainEqual([
      ...['user-rsvped', { userId: 2, displayName: 'Erased user', avatarUrl: null }],
    ]);
    expect((await server.rest(2, 'GET', `/api/workshops/${id}`)).status).toBe(200);
  });

  it('asks first, and takes what is no user id as wrong usage', { timeout: 60_000 }, async () => {
    for (const args of [[], ['x', '--yes'], ['1', '2', '--yes'], ['0', '--yes'], ['2']])
      expect((await eraseUser(...args)).code, args.join(' ')).toBe(2);
    expect((await eraseUser('2')).all).toContain('--yes');
  });
});
