/** What does not end a node: one that is emptied in good order, a Redis that does not answer, doorbells that never ring. */
import { setTimeout as sleep } from 'node:timers/promises';
import { followerOf, type Reply, workshopConnection } from '../src/client/workshopClient.ts';
import { balancer } from '../test/kit/balancer.ts';
import type { RedisServer } from '../test/kit/redis.ts';
import { rawClient } from './rawClient.ts';
import { type Served, schedule, start, token, workshop } from './served.ts';

const clients = 50;
const messages = 100;

export interface Outages {
  env: Record<string, string>;
  redis: RedisServer;
  measure(name: string, unit: string, value: number): void;
}

const node = (env: Record<string, string>) => start([workshop, 'serve', '--json'], env);
const seconds = (since: number) => (performance.now() - since) / 1_000;

/** The product's own clients behind a load balancer. */
export async function emptiedNode({ env, measure }: Outages): Promise<void> {
  const [leaving, staying] = (await Promise.all([node(env), node(env)])) as [Served, Served];
  const [workshopId = 0] = await schedule(leaving.url, { rooms: 1, members: clients });
  const front = await balancer();
  await front.use(leaving.url);
  let moved = 0;
  let last = 0;
  let began = 0;
  const people = await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      const connection = workshopConnection({ url: front.url, token: await token(2 + n) });
      connection.open();
      const room = followerOf(connection.socket, workshopId);
      await room.join();
      connection.socket.on('connect', () => {
        moved++;
        last = seconds(began);
      });
      return { connection, room };
    }),
  );
  await front.use(leaving.url, staying.url);
  began = performance.now();
  leaving.process.signal('SIGTERM');
  await leaving.process.ended;
  const ended = seconds(began);
  while (moved < clients && seconds(began) < 60) await sleep(20);
  const replies = await Promise.all(people.map(({ room }) => room.send('chat', { message: 'here' })));
  if (replies.some((reply: Reply) => !reply.ok)) throw new Error('someone is not served after moving');
  measure('SIGTERM of a node: the last of its clients is connected elsewhere', 's', last);
  measure('SIGTERM of a node: it has ended', 's', ended);
  for (const { connection } of people) await connection.close();
  await front.close();
  await staying.process.stop({ within: 60_000 });
}

/** Every subscription of the nodes is killed again and again, so that hardly a ring arrives. */
export async function lostDoorbells({ env, redis, measure }: Outages): Promise<void> {
  const [here, there] = (await Promise.all([node(env), node(env)])) as [Served, Served];
  const [workshopId = 0] = await schedule(here.url, { rooms: 1, members: 2 });
  const delays: number[] = [];
  const hears = await rawClient(there.url, { token: await token(3) }, (text) => {
    const sent = /"message":"(\d+(\.\d+)?)"/.exec(text)?.[1];
    if (sent !== undefined) delays.push(performance.now() - Number(sent));
  });
  const speaks = await rawClient(here.url, { token: await token(2) }, () => undefined);
  for (const each of [hears, speaks]) await each.ask('workshop:join', { workshopId });
  const client = redis.client();
  const killing = setInterval(() => void client.call('CLIENT', 'KILL', 'TYPE', 'pubsub').catch(() => {}), 5);
  for (let n = 0; n < messages; n++) {
    await speaks.ask('workshop:chat', { workshopId, message: `${performance.now()}` });
    await sleep(30);
  }
  for (let wait = 0; delays.length < messages && wait < 100; wait++) await sleep(50);
  clearInterval(killing);
  if (delays.length < messages) throw new Error(`${delays.length} of ${messages} messages came`);
  measure('doorbells that are lost: a message is seen after, at most', 's', Math.max(...delays) / 1_000);
  for (const each of [hears, speaks]) each.close();
  client.disconnect();
  for (const each of [here, there]) await each.process.stop({ within: 60_000 });
}

/** Redis stands still; what is asked meanwhile is answered. */
export async function frozenRedis({ env, redis, measure }: Outages): Promise<void> {
  const { process, url } = await node(env);
  const [workshopId = 0] = await schedule(url, { rooms: 1, members: 1 });
  const speaks = await rawClient(url, { token: await token(2) }, () => undefined);
  await speaks.ask('workshop:join', { workshopId });
  await redis.kill('SIGSTOP');
  const began = performance.now();
  const reply = (await speaks.ask('workshop:chat', { workshopId, message: 'anyone?' })) as Reply;
  const answered = seconds(began);
  await redis.kill('SIGCONT');
  if (reply.ok) throw new Error('a Redis that stands still took a command');
  measure('Redis does not answer: a command is answered', 's', answered);
  speaks.close();
  await process.stop({ within: 60_000 });
}
