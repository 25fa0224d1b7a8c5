/**
 * From a chat command to its arrival at the room's members: 50 rooms of 20, 1,000 commands a second from an open loop, so
 * that a slow answer does not slow the asking. The server is a process of its own on Redis and Postgres, its projector runs.
 */
import { startPostgres } from '../test/kit/postgres.ts';
import { startRedis } from '../test/kit/redis.ts';
import { type Figure, quantile } from './measure.ts';
import { type RawClient, rawClient } from './rawClient.ts';
import { schedule, secret, sources, start, token, workshop } from './served.ts';

const rooms = 50;
const members = 20;
const perSecond = 1_000;
const seconds = 5;
const mark = '"message":"';

export async function broadcast(rounds: number): Promise<Figure[]> {
  const redis = await startRedis();
  const postgres = await startPostgres();
  const env = {
    ...{ PORT: '0', AUTH_SECRET: secret, LOG_LEVEL: 'warn', RATE_LIMIT_SCALE: '0' },
    ...{ REDIS_URL: redis.url, DATABASE_URL: await postgres.createDatabase() },
  };
  const figures: Figure[] = [];
  const add = (name: string, value: number, beside?: string) => {
    const found = figures.find((figure) => figure.name === name);
    if (found) found.values.push(value);
    else figures.push({ name, unit: 'ms', values: [value], ...(beside !== undefined && { beside }) });
  };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of ['bare relay', 'engine, single events', 'engine, batches'] as const) {
        const server = await (kind === 'bare relay'
          ? start(['--import', sources, new URL('relay.ts', import.meta.url).pathname])
          : start([workshop, 'serve', '--json'], env));
        const delays = await measure(server.url, kind);
        await server.process.stop();
        const beside = kind === 'bare relay' ? undefined : 'bare relay';
        add(`${kind}, p50`, quantile(delays, 0.5), beside && `${beside}, p50`);
        add(`${kind}, p99`, quantile(delays, 0.99), beside && `${beside}, p99`);
      }
    }
  } finally {
    await postgres.close();
    await redis.close();
  }
  return figures;
}

async function measure(url: string, kind: string): Promise<number[]> {
  const bare = kind === 'bare relay';
  const ids = bare ? Array.from({ length: rooms }, (_, n) => n + 1) : await schedule(url, { rooms, members });
  const delays: number[] = [];
  // Each message begins with when it was sent; a batch holds several.
  const heard = (text: string) => {
    const now = performance.now();
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length))
      delays.push(now - Number.parseFloat(text.slice(at + mark.length, at + mark.length + 20)));
  };
  const sockets: { socket: RawClient; workshopId: number }[] = [];
  for (const workshopId of ids)
    for (let n = 0; n < members; n++)
      sockets.push({ socket: await rawClient(url, { token: await token(2 + n) }, heard), workshopId });
  await Promise.all(
    sockets.map(({ socket, workshopId }) =>
      socket.ask('workshop:join', { workshopId, batch: kind === 'engine, batches' }),
    ),
  );
  await pace(perSecond * seconds, (n) => {
    const { socket, workshopId } = sockets[(n * 7) % sockets.length] ?? raise();
    socket.emit('workshop:chat', {
      workshopId,
      message: `${performance.now()} and as many words as people write in a chat`,
    });
  });
  const due = perSecond * seconds * members;
  for (let wait = 0; delays.length < due && wait < 100; wait++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  if (delays.length < due)
    throw new Error(`${kind}: ${due - delays.length} of ${due} messages did not arrive`);
  for (const { socket } of sockets) socket.close();
  return delays;
}

/** Calls `send` so many times at the rate, whether or not what was sent has been answered. */
async function pace(count: number, send: (n: number) => void): Promise<void> {
  const began = performance.now();
  for (let n = 0; n < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - began) / 1_000) * perSecond));
    while (n < due) send(n++);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function raise(): never {
  throw new Error('there are no sockets');
}
