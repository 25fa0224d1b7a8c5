/** What browsers are told on every answer: what a page may load, who may ask from elsewhere, what may be kept. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isEncrypted } from './identity.ts';
import type { RestConfig } from './parts.ts';

/** What both pages may do: nothing of another site but what is added below. Forms are sent by scripts alone. */
const pages = [
  "default-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

/** People's pictures come from wherever their token says, by https. */
const contentSecurityPolicy = [...pages, "style-src 'self'", "img-src 'self' https:"].join('; ');

/** Swagger UI sets styles of its own making in the page, and draws its icons from data addresses. */
export const docsSecurityPolicy = [...pages, "style-src 'self' 'unsafe-inline'", "img-src 'self' data:"].join(
  '; ',
);

const preflightHeaders = {
  'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type, idempotency-key',
  'access-control-max-age': '600',
};

/** A function that sets them on an answer; also where fastify answers without running any hook. */
export function answerHeaders(config: RestConfig) {
  const allowed = new Set(config.corsOrigins);
  return (request: FastifyRequest, reply: FastifyReply): void => {
    reply.headers({
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
    });
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
    if (config.production && isHttps(request, config))
      reply.header('strict-transport-security', 'max-age=31536000');
    if (allowed.size > 0) reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) return;
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'retry-after, location',
    });
  };
}

/** Sets them on every answer, and answers what browsers ask before a request from elsewhere (preflight). */
export function setHeaders(app: FastifyInstance, config: RestConfig): void {
  const set = answerHeaders(config);
  app.addHook('onRequest', async (request, reply) => {
    set(request, reply);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined)
      return;
    // To an origin that is not allowed this says nothing, and the browser stops there.
    if (reply.hasHeader('access-control-allow-origin')) reply.headers(preflightHeaders);
    return reply.code(204).send();
  });
}

/** Whether the caller came by https, to us or to a proxy before us. */
export function isHttps(request: FastifyRequest, { publicUrl }: RestConfig): boolean {
  return publicUrl === undefined ? isEncrypted(request) : publicUrl.startsWith('https:');
}
