/** Scheduling workshops, finding them, changing them, and the steps of their lives. */
import { v5 } from 'uuid';
import { scheduleWorkshop } from '../domain/capabilities/lifecycle.ts';
import type { User } from '../domain/define.ts';
import { fingerprint } from '../engine/pending.ts';
import { CodedError, wireError } from '../protocol/errors.ts';
import { answerOf, commandRoute, idempotencyHeader } from './commands.ts';
import { Refused } from './errors.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { listedWorkshop, page, pageQuery, workshop, workshopParams, workshopView } from './schemas.ts';

const tag = 'Workshops';
const steps = ['open-lobby', 'start', 'end', 'cancel'] as const;

export function workshopRoutes(app: Api, context: RestContext): void {
  const { config, engine, log, readModels, rooms } = context;

  app.route({
    method: 'POST',
    url: '/api/workshops',
    config: { who: 'user', countsAs: ['change', 'schedule'] },
    schema: {
      tags: [tag],
      summary: scheduleWorkshop.summary,
      operationId: scheduleWorkshop.name,
      headers: idempotencyHeader,
      body: scheduleWorkshop.payload,
      response: { 201: workshop },
    },
    async handler(request, reply) {
      const user = callerOf(request);
      const key = request.headers['idempotency-key'];
      const id = key === undefined ? await freshId() : await idOfKey(user, key, request.body);
      // A repeat may come when the workshop is under way, or over: what was scheduled need not be scheduled again.
      const scheduled = key === undefined ? undefined : await rooms.find(id);
      if (scheduled === undefined) {
        const commandId = key === undefined ? undefined : v5(`${user.userId}:${key}`, scheduleNamespace);
        const { name } = scheduleWorkshop;
        answerOf(
          await engine.handle({ workshopId: id, name, payload: request.body, actor: user, commandId }),
        );
      }
      const { room } = await rooms.visible(id, user);
      return reply
        .code(201)
        .header('location', `${config.basePath ?? ''}/api/workshops/${id}`)
        .send(workshopView(room));
    },
  });

  app.route({
    method: 'GET',
    url: '/api/workshops',
    config: { who: 'user' },
    schema: {
      tags: [tag],
      summary: 'Workshops that the caller may see, the newest first. May lag behind what was acknowledged.',
      operationId: 'list-workshops',
      querystring: pageQuery,
      response: { 200: page(listedWorkshop) },
    },
    handler: (request) => readModels.workshops(callerOf(request), request.query),
  });

  app.route({
    method: 'GET',
    url: '/api/workshops/:id',
    config: { who: 'user' },
    schema: {
      tags: [tag],
      summary: 'A workshop as it is now: everything that was acknowledged before is in it.',
      operationId: 'get-workshop',
      params: workshopParams,
      response: { 200: workshop },
    },
    async handler(request) {
      const { room } = await rooms.visible(request.params.id, callerOf(request));
      return workshopView(room);
    },
  });

  commandRoute(app, context, { method: 'PATCH', url: '/api/workshops/:id', command: 'update-workshop', tag });
  for (const command of steps)
    commandRoute(app, context, { method: 'POST', url: `/api/workshops/:id/${command}`, command, tag });

  async function freshId(): Promise<number> {
    return (await allocated()).workshopId;
  }

  /** The same id for the same user and key; another body under the key is another wish. */
  async function idOfKey(user: User, key: string, payload: unknown): Promise<number> {
    const asked = fingerprint({ name: scheduleWorkshop.name, payload });
    const found = await allocated({ userId: user.userId, key, fingerprint: asked });
    if (found.fingerprint !== asked)
      throw new Refused(wireError('conflict', 'this key was used for another workshop', false));
    return found.workshopId;
  }

  async function allocated(request?: Parameters<typeof log.ids.allocate>[0]) {
    try {
      return await log.ids.allocate(request);
    } catch (cause) {
      throw new CodedError('unavailable', undefined, { cause });
    }
  }
}

/** Under which users and keys become command ids. */
const scheduleNamespace = 'b5f9c1de-0a53-4cf6-8f5e-0f6f0f5b8a11';
