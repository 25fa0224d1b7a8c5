/** What operators see: whether a node can serve while stores are away or it is draining, metrics, parked workshops. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisLog } from '../../src/log/redis/log.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { people, type RestServer, restServer } from './restServer.ts';

const { admin, host } = people;

describe('stores that go away', () => {
  let redis: RedisServer;
  let server: RestServer;
  beforeAll(async () => {
    redis = await startRedis();
    const log = await redisLog({ address: { url: redis.url }, partitions: 4, onError: () => undefined });
    server = await restServer({ projecting: false, log });
  });
  afterAll(async () => {
    await server.close();
    await redis.close();
  });

  it('is ready while both answer', async () => {
    expect(await server.ask(null, 'GET /readyz')).toMatchObject({
      status: 200,
      body: { status: 'ready', log: 'ok', database: 'ok' },
    });
  });

  it('is not ready without the log, and says on each request that it is unavailable', async () => {
    const id = await server.workshop();
    await redis.kill();
    expect(await server.ask(null, 'GET /readyz')).toMatchObject({
      status: 503,
      body: { status: 'unavailable', log: 'away', database: 'ok', error: { code: 'unavailable' } },
    });
    for (const request of [
      `GET /api/workshops/${id}`,
      `POST /api/workshops/${id}/start`,
      `GET /api/workshops/${id}/events`,
    ]) {
      const answer = await server.ask(host, request);
      expect(answer, request).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
      expect(answer.headers['retry-after']).toBe('1');
    }
    const workshop = { title: 'Felting', scheduledAt: '2030-05-01T10:00:00Z' };
    expect(await server.ask(host, 'POST /api/workshops', workshop)).toMatchObject({ status: 503 });
    expect(await server.ask(null, 'GET /healthz')).toMatchObject({ status: 200 });
    await redis.start();
    await until(async () => (await server.ask(null, 'GET /readyz')).status === 200, { what: 'readiness' });
    await until(async () => (await server.ask(host, `POST /api/workshops/${id}/start`)).status === 200, {
      what: 'the workshop to start',
    });
  }, 60_000);

  it('[B2] is degraded without a table, with what Postgres says, and ready once it is there again', async () => {
    await server.database.query('alter table workshop_attendees rename to elsewhere', []);
    expect(await server.ask(null, 'GET /readyz')).toMatchObject({
      status: 200,
      body: {
        ...{ status: 'degraded', log: 'ok', database: 'unusable' },
        reason: 'relation "workshop_attendees" does not exist',
      },
    });
    await server.database.query('alter table elsewhere rename to workshop_attendees', []);
    const { body } = await server.ask(null, 'GET /readyz');
    expect(body).toEqual({ status: 'ready', log: 'ok', database: 'ok' });
  });

  it('is degraded without the database: rooms go on, lists are unavailable', async () => {
    const id = await server.workshop();
    await server.database.close();
    expect(await server.ask(null, 'GET /readyz')).toMatchObject({
      status: 200,
      body: { status: 'degraded', log: 'ok', database: 'away' },
    });
    for (const request of [
      'GET /api/workshops',
      `GET /api/workshops/${id}/chat`,
      `GET /api/workshops/${id}/attendees`,
    ])
      expect(await server.ask(host, request), request).toMatchObject({ status: 503 });
    expect(await server.ask(host, `GET /api/workshops/${id}`)).toMatchObject({ status: 200 });
    expect(await server.ask(host, `POST /api/workshops/${id}/start`)).toMatchObject({ status: 200 });
    expect(await server.ask(admin, 'GET /api/admin/status')).toMatchObject({
      status: 200,
      body: { projections: null, nodes: [{ node: 'rest' }] },
    });
  });
});

describe('a node', () => {
  let server: RestServer;
  beforeAll(async () => {
    server = await restServer();
  });
  afterAll(() => server.close());

  it('gives its metrics as text', async () => {
    const answer = await server.ask(null, 'GET /metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.text).toContain('workshop_sockets 0');
  });

  it('shows a parked workshop, and takes it up again when an admin asks', async () => {
    const id = await server.workshop();
    const head = await server.log.events.head(id);
    await server.ask(host, `GET /api/workshops/${id}/chat?minVersion=${head?.version}`);
    const retry = `POST /api/admin/parked/${id}/retry`;
    expect(await server.ask(admin, retry)).toMatchObject({
      status: 404,
      body: { error: { code: 'not_found' } },
    });

    // A row that the tables do not take: the workshop's projection stops there.
    await server.database.query(
      "alter table workshop_chat_messages add constraint no_wool check (message <> 'wool')",
      [],
    );
    await server.command(id, host, 'start');
    await server.command(id, host, 'join');
    const version = await server.command(id, host, 'chat', { message: 'wool' });
    const parked = await until(
      async () => {
        const { body } = await server.ask(admin, 'GET /api/admin/status');
        return body.projections.parked.find((each: { workshopId: number }) => each.workshopId === id);
      },
      { what: 'the workshop to be parked', timeout: 15_000 },
    );
    expect(parked).toMatchObject({ version, reason: expect.stringContaining('no_wool') });
    expect(await server.ask(admin, retry)).toMatchObject({
      status: 200,
      body: { workshopId: id, parked: true },
    });

    await server.database.query('alter table workshop_chat_messages drop constraint no_wool', []);
    expect(await server.ask(admin, retry)).toMatchObject({
      status: 200,
      body: { workshopId: id, parked: false },
    });
    const chat = await server.ask(host, `GET /api/workshops/${id}/chat?minVersion=${version}`);
    expect(chat.body.items).toMatchObject([{ message: 'wool' }]);
  }, 60_000);

  it('says that it is draining, and still serves what comes', async () => {
    server.app.drain();
    expect(await server.ask(null, 'GET /readyz')).toMatchObject({
      status: 503,
      body: { status: 'draining', log: 'ok', error: { code: 'unavailable' } },
    });
    expect(await server.ask(null, 'GET /healthz')).toMatchObject({ status: 200 });
    expect(await server.ask(host, 'GET /api/workshops')).toMatchObject({ status: 200 });
  });
});
