/** Who may do what: every route, asked by everyone, of a public and of a private workshop. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../kit/until.ts';
import { type Person, people, type RestServer, restServer } from './restServer.ts';

let server: RestServer;

beforeAll(async () => {
  server = await restServer();
});
afterAll(() => server.close());

type Asking = Person | 'nobody';
const everyone: Asking[] = ['nobody', 'stranger', 'member', 'removed', 'coHost', 'host', 'analyst', 'admin'];

interface Case {
  route: string;
  body?: object;
  /** In the order of `everyone`: nobody, stranger, member, removed, co-host, host, analyst, admin. */
  public: number[];
  /** Of a private workshop, where that differs. */
  private?: number[];
}

const scheduled = { title: 'Felting', scheduledAt: '2030-05-01T10:00:00Z' };
const cases: Case[] = [
  { route: 'POST /api/workshops', body: scheduled, public: [401, 201, 201, 201, 201, 201, 201, 201] },
  { route: 'GET /api/workshops', public: [401, 200, 200, 200, 200, 200, 200, 200] },
  {
    route: 'GET /api/workshops/:id',
    public: [401, 200, 200, 200, 200, 200, 200, 200],
    private: [401, 404, 200, 200, 200, 200, 200, 200],
  },
  {
    route: 'PATCH /api/workshops/:id',
    body: { title: 'Weaving by hand' },
    public: [401, 403, 403, 403, 403, 200, 403, 403],
    private: [401, 404, 403, 403, 403, 200, 403, 403],
  },
  {
    route: 'POST /api/workshops/:id/open-lobby',
    public: [401, 403, 403, 403, 403, 200, 403, 403],
    private: [401, 404, 403, 403, 403, 200, 403, 403],
  },
  {
    route: 'POST /api/workshops/:id/start',
    public: [401, 403, 403, 403, 200, 200, 403, 403],
    private: [401, 404, 403, 403, 200, 200, 403, 403],
  },
  {
    // It is not live yet: who may end it is told so.
    route: 'POST /api/workshops/:id/end',
    public: [401, 403, 403, 403, 409, 409, 403, 403],
    private: [401, 404, 403, 403, 409, 409, 403, 403],
  },
  {
    route: 'POST /api/workshops/:id/cancel',
    public: [401, 403, 403, 403, 403, 200, 403, 403],
    private: [401, 404, 403, 403, 403, 200, 403, 403],
  },
  {
    route: 'POST /api/workshops/:id/rsvp',
    public: [401, 200, 200, 403, 200, 200, 200, 200],
    private: [401, 404, 200, 403, 200, 200, 403, 403],
  },
  {
    route: 'DELETE /api/workshops/:id/rsvp',
    public: [401, 200, 200, 403, 200, 200, 200, 200],
    private: [401, 404, 200, 403, 200, 200, 403, 403],
  },
  {
    route: 'POST /api/workshops/:id/invitations',
    body: { userIds: [99] },
    public: [401, 403, 403, 403, 200, 200, 403, 403],
    private: [401, 404, 403, 403, 200, 200, 403, 403],
  },
  {
    route: 'GET /api/workshops/:id/attendees',
    public: [401, 403, 200, 403, 200, 200, 200, 200],
    private: [401, 404, 200, 403, 200, 200, 200, 200],
  },
  {
    route: 'GET /api/workshops/:id/chat',
    public: [401, 403, 200, 403, 200, 200, 200, 200],
    private: [401, 404, 200, 403, 200, 200, 200, 200],
  },
  {
    // There is no such message: who may ask at all is told so.
    route: 'DELETE /api/workshops/:id/chat/9999',
    public: [401, 403, 404, 403, 404, 404, 403, 404],
    private: [401, 404, 404, 403, 404, 404, 403, 404],
  },
  {
    route: 'GET /api/workshops/:id/events',
    public: [401, 403, 403, 403, 200, 200, 200, 403],
    private: [401, 404, 403, 403, 200, 200, 200, 403],
  },
  {
    route: 'GET /api/workshops/:id/state',
    public: [401, 403, 403, 403, 200, 200, 200, 403],
    private: [401, 404, 403, 403, 200, 200, 200, 403],
  },
  {
    route: 'GET /api/workshops/:id/state?version=2',
    public: [401, 403, 403, 403, 200, 200, 200, 403],
    private: [401, 404, 403, 403, 200, 200, 200, 403],
  },
  {
    route: 'GET /api/workshops/:id/timeline',
    public: [401, 403, 403, 403, 200, 200, 200, 403],
    private: [401, 404, 403, 403, 200, 200, 200, 403],
  },
  {
    route: 'GET /api/workshops/:id/engagement',
    public: [401, 403, 403, 403, 200, 200, 200, 403],
    private: [401, 404, 403, 403, 200, 200, 200, 403],
  },
  {
    route: 'GET /api/workshops/:id/export?what=chat',
    public: [401, 403, 403, 403, 200, 200, 200, 403],
    private: [401, 404, 403, 403, 200, 200, 200, 403],
  },
  { route: 'GET /api/feed', public: [401, 403, 403, 403, 403, 403, 200, 200] },
  { route: 'GET /api/admin/status', public: [401, 403, 403, 403, 403, 403, 403, 200] },
  // Nothing is parked.
  { route: 'POST /api/admin/parked/:id/retry', public: [401, 403, 403, 403, 403, 403, 403, 404] },
  {
    route: 'POST /api/admin/parked/:id/skip',
    body: { version: 2 },
    public: [401, 403, 403, 403, 403, 403, 403, 404],
  },
  { route: 'GET /api/admin/verify', public: [401, 403, 403, 403, 403, 403, 403, 200] },
  // Somebody whom nobody knows.
  { route: 'POST /api/admin/erasures/424242', public: [401, 403, 403, 403, 403, 403, 403, 202] },
  { route: 'GET /api/admin/erasures/424242', public: [401, 403, 403, 403, 403, 403, 403, 200] },
  { route: 'GET /api/admin/check-replay', public: [401, 403, 403, 403, 403, 403, 403, 200] },
  { route: 'POST /api/admin/projections/rebuild', public: [401, 403, 403, 403, 403, 403, 403, 202] },
  { route: 'GET /api/feed', public: [401, 403, 403, 403, 403, 403, 200, 200] },
  { route: 'GET /api/admin/webhooks', public: [401, 403, 403, 403, 403, 403, 403, 200] },
  {
    route: 'POST /api/admin/webhooks',
    body: { url: 'https://example.org/hooks' },
    public: [401, 403, 403, 403, 403, 403, 403, 201],
  },
  // None has the number of a workshop.
  { route: 'GET /api/admin/webhooks/:id', public: [401, 403, 403, 403, 403, 403, 403, 404] },
  {
    route: 'PATCH /api/admin/webhooks/:id',
    body: { active: false },
    public: [401, 403, 403, 403, 403, 403, 403, 404],
  },
  { route: 'DELETE /api/admin/webhooks/:id', public: [401, 403, 403, 403, 403, 403, 403, 404] },
  { route: 'POST /api/admin/webhooks/:id/test', public: [401, 403, 403, 403, 403, 403, 403, 404] },
  {
    route: 'POST /api/admin/webhooks/:id/resume',
    body: { workshopId: 1 },
    public: [401, 403, 403, 403, 403, 403, 403, 404],
  },
  {
    route: 'POST /api/guest',
    body: { displayName: 'Greta' },
    public: [200, 200, 200, 200, 200, 200, 200, 200],
  },
  { route: 'GET /api/session', public: [200, 200, 200, 200, 200, 200, 200, 200] },
  // Nothing is simulated on a server of several nodes.
  { route: 'POST /api/lively', public: [401, 403, 403, 403, 403, 403, 403, 403] },
  { route: 'GET /healthz', public: [200, 200, 200, 200, 200, 200, 200, 200] },
  { route: 'GET /readyz', public: [200, 200, 200, 200, 200, 200, 200, 200] },
  { route: 'GET /metrics', public: [200, 200, 200, 200, 200, 200, 200, 200] },
];

it('has a case for every documented route', () => {
  const documented = Object.entries(server.app.swagger().paths ?? {}).flatMap(([path, operations]) =>
    Object.keys(operations ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const covered = new Set(
    cases.map(({ route }) =>
      route
        .replace(':id', '{id}')
        .replace('424242', '{userId}')
        .replace('/9999', '/{messageId}')
        .replace(/\?.*/, ''),
    ),
  );
  expect([...covered].sort()).toEqual(documented.sort());
});

for (const visibility of ['public', 'private'] as const) {
  describe(`a ${visibility} workshop`, () => {
    for (const { route, body, ...expected } of cases) {
      it(`answers ${route} as the caller's part in it allows`, async () => {
        const answers: [Asking, number][] = [];
        let id = await server.workshop({ visibility });
        for (const asking of everyone) {
          // What one has changed the next one would find done.
          if (!route.startsWith('GET') && answers.at(-1)?.[1] === 200)
            id = await server.workshop({ visibility });
          const who = asking === 'nobody' ? null : people[asking];
          const { status } = await server.ask(who, route.replace(':id', String(id)), body);
          answers.push([asking, status]);
        }
        const wanted = (visibility === 'private' && expected.private) || expected.public;
        expect(answers).toEqual(everyone.map((asking, index) => [asking, wanted[index]]));
      });
    }
  });
}

it('is to a stranger, where it is private, byte for byte what an unknown one is', async () => {
  const hidden = await server.workshop({ visibility: 'private' });
  for (const { route, body } of cases.filter(({ route }) => route.includes('workshops/:id'))) {
    const [known, unknown] = await Promise.all(
      [hidden, 987_654].map((id) => server.ask(people.stranger, route.replace(':id', String(id)), body)),
    );
    const { date: _, ...headers } = known?.headers ?? {};
    expect(known?.status, route).toBe(404);
    expect(unknown).toMatchObject({ status: 404, text: known?.text, headers });
  }
});

it('keeps a private workshop out of the list of those who may not see it', async () => {
  const id = await server.workshop({ visibility: 'private' });
  const version = (await server.log.events.head(id))?.version;
  await server.ask(people.host, `GET /api/workshops/${id}/attendees?minVersion=${version}`);
  const ids = async (who: Person) => {
    const { body } = await server.ask(people[who], 'GET /api/workshops?limit=500');
    return body.items.map((item: { id: number }) => item.id);
  };
  // Every workshop before it is being folded anew: an admin asked for that above.
  await until(async () => (await ids('host')).includes(id), { what: 'it to be listed', timeout: 15_000 });
  for (const who of ['host', 'coHost', 'member', 'removed', 'analyst', 'admin'] as const)
    expect(await ids(who), who).toContain(id);
  expect(await ids('stranger')).not.toContain(id);
});
