/**
 * How long a fault lasts for those who meet it: two gateways and two projectors as processes, on Redis and Postgres, with the
 * default settings of presence. After each fault every acknowledged message is looked for in the log.
 */
import postgres from 'postgres';
import { followerOf, type Reply, workshopConnection } from '../src/client/workshopClient.ts';
import { type EventLog, readAll } from '../src/log/log.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { networkTo } from '../test/kit/network.ts';
import { startPostgres } from '../test/kit/postgres.ts';
import { startRedis } from '../test/kit/redis.ts';
import { until } from '../test/kit/until.ts';
import type { Figure } from './measure.ts';
import { emptiedNode, frozenRedis, lostDoorbells } from './outages.ts';
import { rawClient } from './rawClient.ts';
import { type Served, schedule, secret, start, token, workshop } from './served.ts';
import { slowReaders } from './slowReaders.ts';

const clients = 50;
const lateMs = 60_000;
type Measure = (name: string, unit: string, value: number, beside?: string) => void;

interface Stage {
  env: Record<string, string>;
  databaseUrl: string;
  log: EventLog;
  measure: Measure;
}

export async function faults(rounds: number): Promise<Figure[]> {
  const [redis, database] = await Promise.all([startRedis(), startPostgres()]);
  const databaseUrl = await database.createDatabase();
  const env = {
    ...{ PORT: '0', AUTH_SECRET: secret, LOG_LEVEL: 'error', RATE_LIMIT_SCALE: '0', ROLE: 'gateway' },
    ...{ REDIS_URL: redis.url, DATABASE_URL: databaseUrl },
  };
  const log = await redisLog({ address: { url: redis.url }, onError: () => undefined });
  const figures = new Map<string, Figure>();
  const measure: Measure = (name, unit, value, beside) => {
    const figure = figures.get(name) ?? { name, unit, values: [], ...(beside !== undefined && { beside }) };
    figure.values.push(value);
    figures.set(name, figure);
  };
  try {
    for (let round = 0; round < rounds; round++) {
      const stage = { env, databaseUrl, log, measure };
      await killedNode(stage);
      await killedProjector(stage);
      await emptiedNode({ env, redis, measure });
      await lostDoorbells({ env, redis, measure });
      await frozenRedis({ env, redis, measure });
      await slowReaders({ env, measure });
    }
  } finally {
    await log.close();
    await redis.close();
    await database.close();
  }
  return [...figures.values()];
}

const node = (env: Record<string, string>) => start([workshop, 'serve', '--json'], env);
const projector = (env: Record<string, string>) => start([workshop, 'project', '--json'], env);
const seconds = (since: number) => (performance.now() - since) / 1_000;

/** The product's own clients behind something that leads to the other node at once; others who do not come back. */
async function killedNode({ env, log, measure }: Stage): Promise<void> {
  const [dying, staying] = (await Promise.all([node(env), node(env)])) as [Served, Served];
  const [workshopId = 0] = await schedule(dying.url, { rooms: 1, members: 2 * clients });
  const network = await networkTo(dying.url);
  const acknowledged = new Map<number, string>();

  const people = await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      const connection = workshopConnection({ url: network.url, token: await token(2 + n) });
      connection.open();
      const room = followerOf(connection.socket, workshopId);
      await room.join();
      return { connection, room };
    }),
  );
  const gone = new Map<number, number>();
  let killed = 0;
  const observer = await rawClient(staying.url, { token: await token(1) }, (text) => {
    const left = /^\["workshop:user-left",.*"userId":(\d+)/.exec(text)?.[1];
    if (left !== undefined) gone.set(Number(left), seconds(killed));
  });
  await observer.ask('workshop:join', { workshopId });
  for (let n = clients; n < 2 * clients; n++) {
    const lost = await rawClient(dying.url, { token: await token(2 + n) }, () => undefined);
    await lost.ask('workshop:join', { workshopId });
  }

  const keep = (message: string) => (reply: Reply) => {
    if (reply.ok) acknowledged.set(reply.version, message);
    return reply.ok;
  };
  await Promise.all(
    people.map(({ room }, n) => room.send('chat', { message: `before ${n}` }).then(keep(`before ${n}`))),
  );
  dying.process.signal('SIGKILL');
  killed = performance.now();
  network.pointTo(staying.url);
  const served = await Promise.all(
    people.map(async ({ room }, n) => {
      const message = `after ${n}`;
      if (!(await room.send('chat', { message }).then(keep(message))))
        throw new Error(`${message} was refused`);
      return seconds(killed);
    }),
  );
  measure(
    'SIGKILL of a node: half of its clients are served again',
    's',
    served.sort((a, b) => a - b)[clients / 2] ?? 0,
  );
  measure('SIGKILL of a node: all of them', 's', Math.max(...served));
  await until(() => gone.size === clients, { what: 'everyone else to be gone', timeout: lateMs });
  measure('SIGKILL of a node: users who stay away are recorded as gone', 's', Math.max(...gone.values()));
  if ([...gone.keys()].some((user) => user < 2 + clients)) throw new Error('someone left who was back');
  await inLog(log, workshopId, acknowledged);
  for (const { connection } of people) await connection.close();
  observer.close();
  await network.close();
  await staying.process.stop({ within: lateMs });
}

/** Two hundred messages a second go on while one of two projectors is killed. */
async function killedProjector({ env, databaseUrl, log, measure }: Stage): Promise<void> {
  const [dying, other, gateway] = (await Promise.all([projector(env), projector(env), node(env)])) as [
    ...[Served, Served, Served],
  ];
  const ids = await schedule(gateway.url, { rooms: 20, members: 1 });
  const speaker = await rawClient(gateway.url, { token: await token(2) }, () => undefined);
  for (const workshopId of ids) await speaker.ask('workshop:join', { workshopId });
  const acknowledged = new Map(ids.map((id) => [id, new Map<number, string>()]));
  let said = 0;
  const say = async () => {
    const workshopId = ids[said % ids.length] ?? 0;
    const message = `${said++}`;
    const reply = (await speaker.ask('workshop:chat', { workshopId, message })) as Reply;
    if (reply.ok) acknowledged.get(workshopId)?.set(reply.version, message);
  };
  const talking = setInterval(() => void say(), 5);
  const sql = postgres(databaseUrl, { max: 1 });
  const isShared = async () => {
    const rows =
      await sql`select owner, count(*)::int as n from projection_checkpoints where owner is not null group by owner`;
    return rows.length === 2 && rows.every(({ n }) => n === 32);
  };
  await until(isShared, { what: 'the projectors to share the partitions', timeout: lateMs });
  dying.process.signal('SIGKILL');
  const killed = performance.now();
  setTimeout(() => clearInterval(talking), 2_000);
  const isCaughtUp = async () => {
    if (seconds(killed) < 2.5) return false;
    const rows = await sql`select id::int, version::int from workshops where id = any(${ids})`;
    return rows.every(({ id, version }) => version >= Math.max(0, ...(acknowledged.get(id)?.keys() ?? [])));
  };
  await until(isCaughtUp, { what: 'the tables to be at the end of the log', timeout: lateMs });
  measure('SIGKILL of a projector: the lag is zero', 's', seconds(killed));
  await sql.end();
  for (const [workshopId, messages] of acknowledged) await inLog(log, workshopId, messages);
  speaker.close();
  for (const each of [other, gateway]) await each.process.stop({ within: lateMs });
}

/** Versions without a gap, and every acknowledged message at its version. */
async function inLog(
  log: EventLog,
  workshopId: number,
  acknowledged: ReadonlyMap<number, string>,
): Promise<void> {
  const found = new Map<number, unknown>();
  for await (const page of readAll(log.events, workshopId))
    for (const { version, data } of page) {
      if (version !== found.size + 1)
        throw new Error(`workshop ${workshopId} lacks version ${found.size + 1}`);
      found.set(version, (data as { message?: unknown }).message);
    }
  for (const [version, message] of acknowledged)
    if (found.get(version) !== message)
      throw new Error(`"${message}" was acknowledged and is not in the log`);
}
