import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { v7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTracing } from '../../src/observe/tracing.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { type Guest, liveWorkshop, type TestServer, testServer } from '../kit/server.ts';
import { migratedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

const recorded = new InMemorySpanExporter();
let redis: RedisServer;
let server: TestServer;
let workshopId: number;
let two: Guest;
let three: Guest;

beforeAll(async () => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(recorded)] }),
  );
  redis = await startRedis();
  server = await testServer({ REDIS_URL: redis.url, DATABASE_URL: await migratedPostgres() });
  workshopId = await liveWorkshop(server, [2, 3]);
  [two, three] = [await server.connect(2), await server.connect(3)];
  await two.say('join', { workshopId });
  await two.state();
  await three.say('join', { workshopId });
  await two.hears('user-joined', ({ userId }) => userId === 3);
}, 30_000);
afterAll(async () => {
  trace.disable();
  await server.close();
  await redis.close();
});
beforeEach(() => recorded.reset());

async function ended(count: number): Promise<ReadableSpan[]> {
  await until(() => recorded.getFinishedSpans().length >= count, { what: `${count} spans`, timeout: 7_000 });
  return recorded.getFinishedSpans();
}

const eventsOf = ({ events }: ReadableSpan) => events.map(({ name }) => name);

describe('[I7] where an SDK of OpenTelemetry records', () => {
  it('a command is one span, from its arrival over the append to its broadcast, with its id', async () => {
    const commandId = v7();
    const reply = await two.say('chat', { workshopId, message: 'traced', commandId });
    const [span, ...others] = await ended(1);
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      name: 'workshop:chat',
      kind: 1,
      status: { code: SpanStatusCode.UNSET },
      instrumentationScope: { name: 'workshop-rooms' },
      attributes: {
        'workshop.id': workshopId,
        'workshop.version': reply.ok && reply.version,
        'workshop.command.id': commandId,
        'user.id': '2',
      },
    });
    expect(span && eventsOf(span)).toEqual(['appended', 'broadcast']);
    // No text of anyone.
    expect(JSON.stringify([span?.attributes, span?.events])).not.toContain('traced');
  });

  it('has the id of the log where the client chose none, and each of many has its own', async () => {
    const messages = Array.from({ length: 20 }, (_, n) => `message ${n}`);
    await Promise.all(messages.map((message) => two.say('chat', { workshopId, message })));
    const spans = await ended(20);
    const { body } = await server.rest(1, 'GET', `/api/workshops/${workshopId}/events?limit=1000`);
    for (const { attributes } of spans) {
      const { commandId } = body.items[Number(attributes['workshop.version']) - 1];
      expect(attributes['workshop.command.id']).toBe(commandId);
    }
    expect(new Set(spans.map(({ attributes }) => attributes['workshop.version'])).size).toBe(20);
  });

  it('ends with the append where this node shows the workshop to nobody', async () => {
    const quiet = await liveWorkshop(server, [2]);
    const one = await server.connect(1);
    await one.say('promote-cohost', { workshopId: quiet, targetUserId: 2 });
    const [span] = await ended(1);
    expect(span?.attributes['workshop.command.id']).toBeUndefined();
    expect(span && eventsOf(span)).toEqual(['appended']);
  });

  it('says why a command was refused, and that it is no fault of the server', async () => {
    await three.say('chat', { workshopId, message: '' });
    await three.say('mute-user', { workshopId, targetUserId: 2 });
    await three.say('raise-hand', { workshopId });
    await three.say('raise-hand', { workshopId });
    await three.ask('workshop:drop-user', { workshopId, userId: 2 });
    await three.ask('workshop:no-such', { workshopId });
    const spans = await ended(4);
    const told = new Map(spans.map((span) => [span.startTime.join('.').padStart(22, '0'), span]));
    const inOrder = [...told].sort().map(([, span]) => span);
    expect(inOrder.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
      ['workshop:chat', 'invalid_payload'],
      ['workshop:mute-user', 'forbidden'],
      ['workshop:raise-hand', undefined],
      ['workshop:raise-hand', undefined],
    ]);
    expect(inOrder.map(eventsOf)).toEqual([[], [], ['appended', 'broadcast'], []]);
    expect(spans.every(({ status }) => status.code === SpanStatusCode.UNSET)).toBe(true);
  });

  it('says that the server could not do it', async () => {
    await redis.kill();
    await three.say('chat', { workshopId, message: 'anyone?' });
    const [span] = await ended(1);
    expect(span?.attributes['error.type']).toBe('unavailable');
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
    await redis.start();
  });
});

it('[I7] nothing is recorded where no SDK is loaded', async () => {
  trace.disable();
  const tracing = await openTracing('0.0.0');
  const arrived = { name: 'chat' as const, raw: { workshopId }, userId: 2, isShown: () => true };
  expect(tracing?.begin(arrived)).toBeUndefined();
});
