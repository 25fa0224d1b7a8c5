/**
 * REST as a request listener, for an HTTP server that serves other things too: it takes what is ours and passes over the rest,
 * before a byte of it is read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { servedUnder } from './basePath.ts';
import { refused } from './errors.ts';

/** Calls `next` for what is not ours; without one that is answered with 404. */
export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

export interface RestHandler {
  handler: RequestHandler;
  /** From now on everything is passed over. Resolves when what is under way is answered, or cut after so many milliseconds. */
  close(withinMs: number): Promise<void>;
}

export interface HandlerSettings {
  basePath: string;
  /** Addresses of ours that are not served here. */
  without: readonly string[];
}

export function restHandler(app: FastifyInstance, { basePath, without }: HandlerSettings): RestHandler {
  const answering = new Set<ServerResponse>();
  let closed = false;

  /** The address as our routes have it. Express takes off where a handler is mounted, and keeps the whole beside it. */
  function ours(request: IncomingMessage & { originalUrl?: string }): string | undefined {
    const { url = '/', originalUrl = url } = request;
    const bare = [url, originalUrl].map((each) => servedUnder(basePath, each));
    return bare.find((each) => {
      const path = each.split('?', 1)[0] ?? '';
      return app.takes(path) && !without.includes(path);
    });
  }

  return {
    handler(request, response, next) {
      const url = closed ? undefined : ours(request);
      if (url === undefined) return next === undefined ? nothingHere(response) : next();
      answering.add(response);
      response.once('close', () => answering.delete(response));
      request.url = url;
      app.routing(request, response);
    },
    async close(withinMs) {
      closed = true;
      const cutting = setTimeout(() => {
        for (const response of answering) response.destroy();
      }, withinMs);
      await Promise.all([...answering].map((each) => new Promise((resolve) => each.once('close', resolve))));
      clearTimeout(cutting);
    },
  };
}

function nothingHere(response: ServerResponse): void {
  const error = { code: 'not_found', message: 'there is nothing at this address' };
  response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}

/** Whether a path is ours: below `/api/workshops` every one is, elsewhere those of the routes. To be called before there are any. */
export function takenPaths(app: FastifyInstance): (path: string) => boolean {
  const patterns = new Map<string, RegExp>();
  app.addHook('onRoute', ({ url }) => {
    if (url.startsWith('/api/')) patterns.set(url, new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+')}$`));
  });
  return (path) =>
    /^\/api\/workshops(\/|$)/.test(path) || [...patterns.values()].some((pattern) => pattern.test(path));
}

/**
 * The body where a middleware has read it before us, as it left it there: reading it again would wait for ever. Undefined where it
 * is still to be read.
 */
export function bodyReadBefore(request: IncomingMessage & { body?: unknown }): Readable | undefined {
  if (!request.readableEnded) return undefined;
  const { body, headers } = request;
  if (body === undefined)
    throw refused('internal', 'the body was read before this handler: let it come before what parses bodies');
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return Object.assign(Readable.from([Buffer.from(text)]), {
    receivedEncodedLength: Number(headers['content-length'] ?? Buffer.byteLength(text)),
  });
}
