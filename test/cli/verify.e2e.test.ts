/** `workshop verify` as an operator uses it: on Postgres, beside a running server, and on a folder without one. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../projections/database/open.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import type { TemporaryFolder } from '../kit/folder.ts';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import {
  clusterSettings,
  type Json,
  liveWorkshop,
  restAt,
  secret,
  type TestServer,
  testServer,
} from '../kit/server.ts';

interface Ended {
  code: number | null;
  out: string;
  all: string;
}

async function run(env: Record<string, string>, ...args: string[]): Promise<Ended> {
  const running = await startProcess({
    command: process.execPath,
    args: [program, 'verify', ...args],
    env: { LOG_LEVEL: 'warn', ...env },
  });
  const { code } = await running.ended;
  return { code, out: running.stdout(), all: running.output() };
}

const lines = ({ out }: Ended): Json[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('on Postgres', () => {
  let server: TestServer;
  let settings: Record<string, string>;
  let sql: postgres.Sql;
  let ids: number[];

  beforeAll(async () => {
    settings = await clusterSettings();
    server = await testServer(settings);
    sql = postgres(settings.DATABASE_URL ?? '', { max: 1 });
    ids = [await liveWorkshop(server, [2, 3]), await liveWorkshop(server, [4])];
  }, 60_000);
  afterAll(async () => {
    await sql.end();
    await server.close();
  });

  const verify = (...args: string[]) => run(settings, ...args);

  it('[J19] says what was compared where everything is right', { timeout: 60_000 }, async () => {
    const all = await verify('--all');
    expect(all, all.all).toMatchObject({
      code: 0,
      all: expect.stringMatching(/^compared 2 workshops, \d+ rows\n$/),
    });
    const one = await verify(String(ids[0]), '--json');
    expect(one.code, one.all).toBe(0);
    expect(lines(one)).toEqual([
      expect.objectContaining({
        kind: 'summary',
        workshops: 1,
        differences: 0,
        faults: 0,
        parked: 0,
        behind: 0,
      }),
    ]);
  });

  it('[J19] tells each difference in a line of its own and ends with 1', { timeout: 60_000 }, async () => {
    await sql`update workshop_attendees set can_speak = true where workshop_id = ${ids[0] ?? 0} and user_id = 2`;
    await sql`delete from workshop_attendees where workshop_id = ${ids[1] ?? 0} and user_id = 4`;
    const told = await verify('--all');
    expect(told.code).toBe(1);
    expect(told.out.split('\n')).toEqual([
      `workshop ${ids[0]}: workshop_attendees user_id 2: can_speak: expected false, found true`,
      expect.stringContaining(`workshop ${ids[1]}: workshop_attendees user_id 4: the row is missing: {`),
      expect.stringMatching(/^compared 2 workshops, \d+ rows$/),
      '',
    ]);
    expect(told.all).toContain('workshop: the tables are not what the log says: 2 differences\n');
    const json = await verify(String(ids[0]), '--json');
    expect(json.code).toBe(1);
    expect(lines(json)).toEqual([
      {
        ...{ kind: 'difference', workshopId: ids[0], table: 'workshop_attendees' },
        ...{ key: { workshop_id: ids[0], user_id: 2 }, column: 'can_speak', expected: false, found: true },
      },
      expect.objectContaining({ kind: 'summary', differences: 1 }),
    ]);
  });

  it('[J19] takes a wrong id for what it is', { timeout: 60_000 }, async () => {
    expect(await verify('999')).toMatchObject({
      code: 1,
      out: '',
      all: 'workshop: there is no workshop 999\n',
    });
    for (const wrong of [[], ['x'], ['1', '2'], ['1', '--all'], ['--some']]) {
      const { code, all } = await verify(...wrong);
      expect(code, wrong.join(' ')).toBe(2);
      expect(all.trim().split('\n')).toHaveLength(1);
    }
    expect(await verify('--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('verify <id> | --all'),
    });
  });
});

describe('embedded', () => {
  let folder: TemporaryFolder;
  let env: { DATA_DIR: string; AUTH_SECRET: string; PORT: string };
  let server: RunningProcess | undefined;
  let workshopId: number;
  beforeAll(async () => {
    folder = await dataFolder('verify');
    env = { DATA_DIR: folder.path, AUTH_SECRET: secret, PORT: '0' };
  });
  afterAll(async () => {
    await server?.stop();
    await folder.close();
  });

  async function serve(): Promise<string> {
    server = await startProcess({
      command: process.execPath,
      args: [program, 'serve', '--json'],
      env: { ...env, LOG_LEVEL: 'warn' },
    });
    const [line] = await server.waitFor(/\{"url".*\}/, 60_000);
    return JSON.parse(line).url;
  }

  it('[J19] goes through the server that runs', { timeout: 180_000 }, async () => {
    const rest = restAt(await serve());
    workshopId = await liveWorkshop({ rest }, [2, 3]);
    const beside = await run(env, '--all', '--json');
    expect(beside.code, beside.all).toBe(0);
    expect(lines(beside)).toMatchObject([{ kind: 'summary', workshops: 1, differences: 0 }]);
    expect(await run(env, '77')).toMatchObject({ code: 1, all: 'workshop: there is no workshop 77\n' });
    await server?.stop();
  });

  it('[J19] goes to the folder itself where no server runs', { timeout: 180_000 }, async () => {
    const database = openDatabase({ folder: `${env.DATA_DIR}/database` }, { onError: () => undefined });
    await database.ready;
    await database.query(`update workshops set title = 'Something else'`, []);
    await database.close();
    const changed = await run(env, '--all');
    expect(changed.code, changed.all).toBe(1);
    expect(changed.out).toMatch(
      new RegExp(`^workshop ${workshopId}: workshops id ${workshopId}: title: expected "Sourdough", found "Something else"
compared 1 workshop, \\d+ rows
$`),
    );
  });

  it('[J19] finds through the server what it finds without one', { timeout: 180_000 }, async () => {
    await serve();
    const { code, out } = await run(env, '--all');
    expect(code).toBe(1);
    expect(out).toContain('title: expected "Sourdough", found "Something else"\n');
  });
});
