/** The REST interface on a real log and a real Postgres, the projector included, and people who use it. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Database } from '../../projections/database/database.ts';
import { openDatabase } from '../../projections/database/open.ts';
import { storedEvents } from '../../projections/events/queries.ts';
import { roomSnapshots } from '../../projections/snapshots/snapshots.ts';
import { projector } from '../../projections/worker/projector.ts';
import type { RestParts } from '../../src/api/parts.ts';
import { readModels } from '../../src/api/readModels.ts';
import { restApi } from '../../src/api/rest.ts';
import type { CommandInput, CommandName } from '../../src/domain/catalog.ts';
import { commandOf } from '../../src/domain/catalog.ts';
import type { User } from '../../src/domain/define.ts';
import { type Engine, workshopEngine } from '../../src/engine/engine.ts';
import { workshopHistory } from '../../src/history/history.ts';
import { addresses } from '../../src/identity/address.ts';
import { origins } from '../../src/identity/origin.ts';
import { tokens } from '../../src/identity/token.ts';
import { rateLimits } from '../../src/limits/limiter.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { metrics } from '../../src/observe/metrics.ts';
import type { NodeStatus } from '../../src/observe/nodes.ts';
import { sealedUnder } from '../../src/webhooks/secret.ts';
import { webhookSender } from '../../src/webhooks/send.ts';
import { webhooks } from '../../src/webhooks/webhooks.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { migratedPostgres } from '../kit/shared.ts';

export const secret = 'a secret of thirty-two characters';
export const otherSite = 'https://site.example';

const named = (userId: number, displayName: string, roles: User['roles'] = []): User => ({
  ...{ kind: 'user', userId, displayName, avatarUrl: null, roles },
});

/** Who is who in every workshop that `workshop()` makes. */
export const people = {
  host: named(1, 'Hanna Host'),
  coHost: named(2, 'Cora Co-host'),
  member: named(3, 'Mel Member'),
  stranger: named(4, 'Stan Stranger'),
  removed: named(5, 'Remy Removed'),
  analyst: named(6, 'Ana Analyst', ['analyst']),
  admin: named(7, 'Adam Admin', ['admin']),
};

export type Person = keyof typeof people;

export async function tokenOf({ userId, displayName, roles }: User): Promise<string> {
  return new SignJWT({ name: displayName, roles: [...roles] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(String(userId))
    .setExpirationTime('1h')
    .sign(Buffer.from(secret));
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;
  text: string;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it field by field
  body: any;
}

export interface RestServer {
  app: FastifyInstance;
  engine: Engine;
  log: EventLog;
  database: Database;
  /** What was logged, line by line. */
  lines: string[];
  /** A request by someone, or by nobody. Every JSON answer is held against what OpenAPI says of the route. */
  ask(who: User | null, request: string, body?: unknown, options?: InjectOptions): Promise<Answer>;
  /** A command by the engine alone. Fails where it is refused; the version after it otherwise. */
  command<N extends CommandName>(
    workshopId: number,
    who: User,
    name: N,
    payload?: CommandInput[N],
  ): Promise<number>;
  /** A new workshop with everyone in it who belongs there; its id. Live with `live`. */
  workshop(options?: { visibility?: 'public' | 'private'; live?: boolean }): Promise<number>;
  close(): Promise<void>;
}

export interface RestServerOptions {
  parts?: Partial<RestParts>;
  guests?: boolean;
  /** Instead of the embedded one; closed with the server. */
  log?: EventLog;
  /** The log as the routes get it, such as one that counts. */
  seen?: (log: EventLog) => EventLog;
  /** Whether the tables follow the log; true if left out. */
  projecting?: boolean;
}

const thisNode: NodeStatus = {
  ...{ node: 'rest', role: 'all', rooms: 0, sockets: 0, upSeconds: 1, draining: false },
};

export async function restServer(options: RestServerOptions = {}): Promise<RestServer> {
  const folder = temporaryFolder('rest');
  const log = options.log ?? (await embeddedLog({ path: `${folder.path}/log` }));
  const onError = (error: unknown) => expect.fail(String(error));
  const database = await openDatabase({ url: await migratedPostgres() }, { onError });
  await database.ready;
  const folding =
    options.projecting === false
      ? undefined
      : projector({
          log,
          database,
          node: 'rest',
          histories: workshopHistory(log.events, storedEvents(database)),
        });
  const engine = workshopEngine({ log, node: `rest-${Math.random()}` });
  const sender = webhookSender(false);
  const lines: string[] = [];
  const seen = options.seen?.(log) ?? log;
  const app = await restApi({
    ...{
      engine,
      log: seen,
      history: workshopHistory(seen.events, storedEvents(database)),
      snapshots: roomSnapshots(database),
      metrics: metrics(),
      nodes: async () => [thisNode],
    },
    tokens: tokens({ secret, guests: options.guests ?? true }),
    origins: origins({ allowed: [otherSite] }),
    addresses: addresses(),
    limits: rateLimits({ scale: 0 }),
    logger: pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) }),
    readModels: readModels(database, log),
    config: { corsOrigins: [otherSite], production: false },
    health: { log: () => log.ping(), database: () => database.check() },
    webhooks: webhooks({
      ...{ noting: { log, database }, seal: sealedUnder(secret), sender, allowPrivate: false },
    }),
    ...options.parts,
  });
  const documented = documentedAnswers(app);

  async function ask(who: User | null, request: string, body?: unknown, more: InjectOptions = {}) {
    const [method = '', url = ''] = request.split(' ');
    const response = await app.inject({
      ...more,
      method: method as 'GET',
      url,
      ...(body !== undefined && { payload: body as object }),
      headers: {
        ...(who !== null && { authorization: `Bearer ${await tokenOf(who)}` }),
        ...more.headers,
      },
    });
    const isJson = String(response.headers['content-type']).startsWith('application/json');
    const answer: Answer = {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      body: isJson && method !== 'HEAD' ? response.json() : undefined,
    };
    if (isJson && method !== 'HEAD') documented(method, url, answer);
    return answer;
  }

  const command: RestServer['command'] = async (workshopId, who, name, payload) => {
    const parsed = commandOf(name).payload.parse(payload ?? {});
    const outcome = await engine.handle({ workshopId, name, payload: parsed, actor: who });
    if (!outcome.ok) throw new Error(`${name}: ${outcome.error.code}`);
    return outcome.version;
  };

  return {
    ...{ app, engine, log, database, lines, ask, command },
    async workshop({ visibility = 'public', live = false } = {}) {
      const { host, coHost, member, removed } = people;
      const { workshopId } = await log.ids.allocate();
      await command(workshopId, host, 'schedule-workshop', {
        ...{ title: 'Weaving', scheduledAt: '2030-05-01T10:00:00Z', visibility },
      });
      const userIds = [coHost.userId, member.userId, removed.userId];
      await command(workshopId, host, 'invite-users', { userIds });
      await command(workshopId, host, 'promote-cohost', { targetUserId: coHost.userId });
      await command(workshopId, host, 'remove-user', { targetUserId: removed.userId });
      if (live) await command(workshopId, host, 'start');
      return workshopId;
    },
    async close() {
      await app.close();
      sender.close();
      await engine.close();
      await folding?.close();
      await database.close();
      await log.close();
      await folder.close();
    },
  };
}

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** Holds answers against the OpenAPI document. */
function documentedAnswers(app: FastifyInstance) {
  const text = JSON.stringify(app.swagger()).replaceAll('#/components/schemas/', '#/$defs/');
  const document = JSON.parse(text) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: object };
  };
  const compiled = new Map<object, z.ZodType>();
  const routes = Object.entries(document.paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/?]+')}(\\?|$)`),
    operations,
  }));

  return (method: string, url: string, { status, body }: Answer): void => {
    const operation = routes.find(({ pattern }) => pattern.test(url))?.operations[method.toLowerCase()];
    // What no route answers has the form of an error all the same.
    const responses = operation?.responses ?? document.paths['/healthz']?.get?.responses ?? {};
    const family = `${String(status).slice(0, 1)}XX`;
    const schema = (responses[status] ?? responses[family])?.content?.['application/json']?.schema;
    if (url.startsWith('/openapi.json')) return;
    if (schema === undefined) throw new Error(`${method} ${url} answers ${status}, which is not documented`);
    let checked = compiled.get(schema);
    if (checked === undefined) {
      checked = z.fromJSONSchema({ ...schema, $defs: document.components.schemas } as never);
      compiled.set(schema, checked);
    }
    expect(checked.safeParse(body).error, `${method} ${url} ${status}`).toBeUndefined();
  };
}
