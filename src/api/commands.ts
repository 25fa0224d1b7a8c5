/** Commands that come by REST: each is one declaration, and all of them go through one function. */
import type { FastifySchemaCompiler } from 'fastify';
import { validate as isUuid, v5 } from 'uuid';
import { z } from 'zod';
import { type CommandName, commandOf } from '../domain/catalog.ts';
import type { User } from '../domain/define.ts';
import type { Outcome } from '../engine/engine.ts';
import { isModerating } from '../limits/table.ts';
import { parse } from '../protocol/parse.ts';
import { Refused, refused } from './errors.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { commandAnswer, workshopParams } from './schemas.ts';

/** Under which other keys than UUIDs become command ids (RFC 9562, 5.5). */
const keyNamespace = '6f3ad2f0-5e0c-4f0e-9d43-3d1f6c1a7b52';

export const idempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/, 'must have 1 to 255 printable ASCII characters')
    .optional()
    .describe('Sent again with the same key, the request is done once and answered as the first time'),
});

/** The id under which the log remembers what was done for a key. */
export function commandIdOf(key: string): string {
  return isUuid(key) ? key.toLowerCase() : v5(key, keyNamespace);
}

export interface CommandRoute {
  method: 'POST' | 'PATCH' | 'DELETE';
  url: string;
  command: CommandName;
  tag: string;
  /** Of the address; those beside `id` are the payload where there is no body. */
  params?: z.ZodObject<{ id: (typeof workshopParams)['shape']['id'] }>;
}

/** Declares a route for a command of the domain: payload, summary and rights are the command's own. */
export function commandRoute(app: Api, context: RestContext, route: CommandRoute): void {
  const { method, url, command, tag, params = workshopParams } = route;
  const { payload, summary } = commandOf(command);
  const inAddress = Object.keys(params.shape).length > 1;
  app.route({
    method,
    url,
    config: { who: 'user', countsAs: [isModerating(command) ? 'moderate' : 'change'] },
    schema: {
      tags: [tag],
      summary,
      operationId: command,
      params,
      headers: idempotencyHeader,
      ...(!inAddress && !isEmpty(payload) && { body: payload }),
      response: { 200: commandAnswer },
    },
    validatorCompiler: exceptBody,
    async handler(request) {
      const { id, ...rest } = request.params;
      const key = request.headers['idempotency-key'];
      return run(context, {
        workshopId: id,
        name: command,
        raw: inAddress ? rest : (request.body ?? {}),
        user: callerOf(request),
        commandId: key === undefined ? undefined : commandIdOf(key),
      });
    },
  });
}

interface Running {
  workshopId: number;
  name: CommandName;
  raw: unknown;
  user: User;
  commandId: string | undefined;
}

/** Parses by the command's own schema, hands it to the engine, and says what became of it. */
async function run({ engine }: RestContext, { workshopId, name, raw, user, commandId }: Running) {
  const parsed = parse(commandOf(name).payload, raw);
  if (!parsed.ok) {
    // The id is looked up before every refusal: it may belong to something that was done.
    const known =
      commandId === undefined ? undefined : await engine.recall(workshopId, user.userId, commandId);
    if (known !== undefined) return answerOf(known);
    throw refused('invalid_payload', parsed.detail);
  }
  const outcome = await engine.handle({ workshopId, name, payload: parsed.value, actor: user, commandId });
  return answerOf(outcome);
}

export function answerOf(outcome: Outcome): z.infer<typeof commandAnswer> {
  if (!outcome.ok) throw new Refused(outcome.error);
  return { version: outcome.version, changed: outcome.changed };
}

function isEmpty(payload: z.ZodType): boolean {
  return payload instanceof z.ZodObject && Object.keys(payload.shape).length === 0;
}

/** How requests are checked: by the same schemas and with the same words as payloads of sockets. */
export const checking: FastifySchemaCompiler<unknown> = ({ schema }) => {
  // Every schema of a route here is one of zod's.
  const checked = schema as z.ZodType;
  return (value: unknown) => {
    const parsed = parse(checked, value);
    return parsed.ok ? { value: parsed.value } : { error: refused('invalid_payload', parsed.detail) };
  };
};

/** The body of a command is parsed by the one function that runs it; its schema on the route is for the documentation. */
const exceptBody: FastifySchemaCompiler<unknown> = (route) =>
  route.httpPart === 'body' ? (value: unknown) => ({ value }) : checking(route);
