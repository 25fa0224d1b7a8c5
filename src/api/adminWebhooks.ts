/** For admins: where events are delivered, what waits there, and going on with it. */
import { z } from 'zod';
import { isEventType } from '../domain/catalog.ts';
import { text } from '../domain/text.ts';
import { bareType, messageType } from '../webhooks/message.ts';
import { refused } from './errors.ts';
import { askingOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { idInAddress, page, pageQuery } from './schemas.ts';

const tag = 'Webhooks';
const params = z.object({ id: idInAddress.describe('The webhook') });
const workshopId = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);

const eventType = z
  .string()
  .transform(bareType)
  .refine(isEventType, 'there is no such type of event')
  .describe('`chat-message`, or `workshop.chat-message` as deliveries have it');

const plan = z.object({
  url: z.string().describe('https or http, where the server may go'),
  types: z
    .array(eventType)
    .min(1)
    .max(100)
    .nullable()
    .optional()
    .describe('Of these types alone; all if null'),
  workshopIds: z
    .array(workshopId)
    .min(1)
    .max(1_000)
    .nullable()
    .optional()
    .describe('Of these workshops alone; all if null'),
  description: text(0, 500).nullable().optional(),
});

const change = plan.partial().extend({
  active: z.boolean().optional().describe('false: nothing is sent, and what happens meanwhile waits'),
});

const waiting = z
  .object({
    workshopId: z.number().int(),
    fromVersion: z.number().int().describe('The next version to be delivered'),
    attempts: z.number().int().describe('How many tries of it have failed'),
    waits: z.boolean().describe('It is not tried any more until it is resumed'),
    failingSince: z.string().nullable(),
    nextTryAt: z.string().nullable(),
    lastError: z.string().nullable(),
  })
  .meta({ id: 'WebhookPlace' });

const webhook = z
  .object({
    id: z.number().int(),
    url: z.string(),
    types: z.array(z.string()).nullable().describe('As deliveries have them'),
    workshopIds: z.array(z.number().int()).nullable(),
    description: z.string().nullable(),
    active: z.boolean(),
    endedBecause: z.string().nullable().describe('Where its receiver ended it'),
    createdAt: z.string(),
    createdBy: z.string(),
  })
  .meta({ id: 'Webhook' });

const shown = webhook
  .extend({ troubled: z.array(waiting).describe('Where deliveries fail or wait; 100 at most') })
  .meta({ id: 'ShownWebhook' });

const outcome = z.object({
  ok: z.boolean(),
  status: z.number().int().nullable().describe('null where nothing was answered'),
  error: z.string().optional(),
});

const url = '/api/admin/webhooks';

export function adminWebhookRoutes(app: Api, { webhooks }: RestContext): void {
  if (webhooks === undefined) return;
  const config = { who: 'admin' } as const;

  app.route({
    ...{ method: 'POST', url, config },
    schema: {
      tags: [tag],
      summary: 'Has events delivered to an address, from now on.',
      description: 'The secret that deliveries are signed with is answered this once. See docs/webhooks.md.',
      operationId: 'create-webhook',
      body: plan,
      response: { 201: webhook.extend({ secret: z.string() }) },
    },
    async handler(request, reply) {
      const { url, types = null, workshopIds = null, description = null } = request.body;
      const by = askingOf(request);
      const made = await webhooks.create({ url, types, workshopIds, description: description || null }, by);
      request.log.warn({ webhookId: made.id, by }, 'an operator has events delivered');
      return reply.code(201).send(named(made));
    },
  });

  app.route({
    ...{ method: 'GET', url, config },
    schema: {
      tags: [tag],
      summary: 'The webhooks, and where their deliveries fail or wait.',
      operationId: 'list-webhooks',
      querystring: pageQuery,
      response: { 200: page(shown) },
    },
    async handler({ query }) {
      const { items, nextCursor } = await webhooks.list(query);
      return { items: items.map(named), nextCursor };
    },
  });

  app.route({
    ...{ method: 'GET', url: `${url}/:id`, config },
    schema: {
      tags: [tag],
      summary: 'One webhook.',
      operationId: 'get-webhook',
      params,
      response: { 200: shown },
    },
    handler: async ({ params: { id } }) => named(await webhooks.get(id)),
  });

  app.route({
    ...{ method: 'PATCH', url: `${url}/:id`, config },
    schema: {
      tags: [tag],
      summary: 'Changes what is given; the rest stays.',
      description: 'One that its receiver ended goes on with `active: true`, where it stopped.',
      operationId: 'change-webhook',
      params,
      body: change,
      response: { 200: webhook },
    },
    async handler(request) {
      const given = Object.entries(request.body).filter(([, value]) => value !== undefined);
      if (given.length === 0) throw refused('invalid_payload', 'give what is to change');
      const changed = await webhooks.change(request.params.id, Object.fromEntries(given));
      request.log.warn({ webhookId: changed.id, by: askingOf(request) }, 'an operator changed a webhook');
      return named(changed);
    },
  });

  app.route({
    ...{ method: 'DELETE', url: `${url}/:id`, config },
    schema: {
      tags: [tag],
      summary: 'Ends a webhook, and forgets what waits for it.',
      operationId: 'delete-webhook',
      params,
      response: { 204: z.null().describe('It is gone') },
    },
    async handler(request, reply) {
      const { id } = request.params;
      await webhooks.delete(id);
      request.log.warn({ webhookId: id, by: askingOf(request) }, 'an operator deleted a webhook');
      return reply.code(204).send(null);
    },
  });

  app.route({
    ...{ method: 'POST', url: `${url}/:id/test`, config },
    schema: {
      tags: [tag],
      summary: 'Sends a `webhook.test` at once, signed, and tells what came of it.',
      operationId: 'test-webhook',
      params,
      response: { 200: outcome },
    },
    handler: ({ params: { id } }) => webhooks.test(id),
  });

  app.route({
    ...{ method: 'POST', url: `${url}/:id/resume`, config },
    schema: {
      tags: [tag],
      summary: 'Goes on with a workshop, where it stopped or at any version.',
      operationId: 'resume-webhook',
      params,
      body: z.object({
        workshopId,
        fromVersion: z
          .number()
          .int()
          .min(1)
          .max(Number.MAX_SAFE_INTEGER)
          .optional()
          .describe('Where it stopped, if left out'),
      }),
      response: { 200: waiting },
    },
    async handler(request) {
      const { workshopId, fromVersion = null } = request.body;
      request.log.warn(
        { webhookId: request.params.id, workshopId, fromVersion, by: askingOf(request) },
        'an operator resumes deliveries',
      );
      return webhooks.resume(request.params.id, workshopId, fromVersion);
    },
  });
}

/** Types as deliveries name them. */
function named<T extends { types: string[] | null }>(hook: T): T {
  return { ...hook, types: hook.types?.map(messageType) ?? null };
}
