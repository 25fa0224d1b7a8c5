/**
 * The REST interface: routes by subject, and what all of them share – who calls, checks, errors, headers. It does not listen:
 * the server hangs the sockets on its `server` first.
 */
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { adminRoutes } from './admin.ts';
import { adminCheckRoutes } from './adminChecks.ts';
import { adminErasureRoutes } from './adminErasures.ts';
import { adminProjectionRoutes } from './adminProjections.ts';
import { adminWebhookRoutes } from './adminWebhooks.ts';
import { chatRoutes } from './chat.ts';
import { checking } from './commands.ts';
import { engagementRoutes } from './engagement.ts';
import { answerBrokenRequest, answerTo, errorHandler, refused } from './errors.ts';
import { exportRoutes } from './exports.ts';
import { feedRoutes } from './feed.ts';
import { guestRoutes } from './guest.ts';
import { bodyReadBefore, takenPaths } from './handler.ts';
import { answerHeaders, setHeaders } from './headers.ts';
import { historyRoutes } from './history.ts';
import { identify } from './identity.ts';
import { membershipRoutes } from './membership.ts';
import { documentApi } from './openApi.ts';
import { operationRoutes } from './operations.ts';
import { pageRoutes } from './page.ts';
import type { Api, RestContext, RestParts } from './parts.ts';
import { visibleRooms } from './rooms.ts';
import { sessionRoutes } from './session.ts';
import { stateRoutes } from './state.ts';
import { timelineRoutes } from './timeline.ts';
import { turns } from './turns.ts';
import { workshopRoutes } from './workshops.ts';

/** What a body may hold, in bytes: 500 user ids of 16 digits are 9 KiB. */
const bodyLimit = 65_536;

/** Not listening. `drain()` makes `/readyz` say 503; `close()` ends it. */
export async function restApi(parts: RestParts): Promise<FastifyInstance> {
  const { metrics, config, logger, addresses } = parts;
  const headers = answerHeaders(config);
  const app: FastifyInstance = Fastify({
    ...(logger !== undefined && { loggerInstance: logger as FastifyBaseLogger }),
    // Fastify's own lines have the whole address, whatever someone puts into its query.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    trustProxy: addresses.trusts,
    // A request that trickles in for longer is cut off; answers may take as long as they are read.
    requestTimeout: 30_000,
    // What comes in the last moments is still answered; `/readyz` has said that nothing more should.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 2_000 },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors(failure, request, reply) {
      const { status, error } = answerTo(failure);
      headers(request, reply);
      // The types of this one reply know of no route, and so of no status.
      void (reply as FastifyReply).code(status).send({ error: { code: error.code, message: error.message } });
    },
  });

  app.setValidatorCompiler(checking);
  // What a route answers is checked against its schema when it is compiled, and as it is when tests run; checking each answer
  // again would copy it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(errorHandler(metrics));
  app.setNotFoundHandler(() => {
    throw refused('not_found', 'there is nothing at this address');
  });
  app.decorate('takes', takenPaths(app));
  parseJsonAlone(app);
  logAnswers(app);
  setHeaders(app, config);
  identify(app, parts);
  await documentApi(app, config);

  // A load test is made to wait, and never sent away.
  const turnsAt: RestContext['turnsAt'] = (settings) =>
    turns(config.unlimited === true ? { ...settings, waiting: Number.POSITIVE_INFINITY } : settings);
  const context: RestContext = {
    ...parts,
    ...{ rooms: visibleRooms(parts.engine), turnsAt },
    readings: turnsAt({ atOnce: 2, waiting: 30 }),
  };
  const api: Api = app.withTypeProvider<ZodTypeProvider>();
  if (parts.operationsOnly !== true) {
    workshopRoutes(api, context);
    membershipRoutes(api, context);
    chatRoutes(api, context);
    historyRoutes(api, context);
    stateRoutes(api, context);
    timelineRoutes(api, context);
    engagementRoutes(api, context);
    exportRoutes(api, context);
    guestRoutes(api, context);
    feedRoutes(api, context);
    sessionRoutes(api, context);
  }
  adminRoutes(api, context);
  adminProjectionRoutes(api, context);
  adminErasureRoutes(api, context);
  adminCheckRoutes(api, context);
  adminWebhookRoutes(api, context);
  app.decorate('drain', operationRoutes(api, context));
  if (parts.page !== undefined) pageRoutes(app, parts.page, config.basePath ?? '');
  await app.ready();
  return app;
}

/** JSON and nothing else, so that a form of another site can't send what counts. Nothing at all is no error. */
function parseJsonAlone(app: FastifyInstance): void {
  const json = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addHook('preParsing', async ({ raw }, _, payload) => bodyReadBefore(raw) ?? payload);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else json(request, body.toString(), done);
  });
}

/** One line for an answer, with the route instead of the address: nothing that people sent is in it. */
function logAnswers(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    // Comes also where the reader went away in the middle, which fastify's own hook does not.
    reply.raw.once('close', () => {
      const route = request.routeOptions.url;
      const fields = {
        method: request.method,
        route: route ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        userId: request.caller?.userId,
      };
      const text = reply.raw.writableFinished ? 'answered' : 'the reader went away';
      if (route?.startsWith('/api/')) request.log.info(fields, text);
      else request.log.debug(fields, text);
    });
  });
}
