/** Error codes as HTTP answers: the only place that knows both. Every error body is `{ error: { code, message } }`. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { UnknownSchema } from '../domain/upcast.ts';
import type { Metrics } from '../observe/metrics.ts';
import {
  asWireError,
  CodedError,
  type ErrorCode,
  errorCodes,
  type WireError,
  wireError,
} from '../protocol/errors.ts';

const statuses: Record<ErrorCode, number> = {
  unauthenticated: 401,
  token_expired: 401,
  invalid_payload: 400,
  not_found: 404,
  not_a_member: 403,
  not_joined: 403,
  forbidden: 403,
  invalid_state: 409,
  removed: 403,
  workshop_full: 409,
  target_not_found: 404,
  rate_limited: 429,
  conflict: 409,
  unavailable: 503,
  internal: 500,
  // Of sockets alone; they have a number so that the table has no holes.
  unknown_command: 404,
  slow_consumer: 503,
  unsupported_protocol: 400,
};

export const errorBody = z
  .object({ error: z.object({ code: z.enum(errorCodes), message: z.string() }) })
  .meta({ id: 'Error' });

/**
 * Ends a request with a refusal. Below this edge refusals are values; here they are thrown, so that what a route returns is
 * what its schema says of success.
 */
export class Refused extends Error {
  override name = 'Refused';
  readonly refusal: WireError;
  constructor(refusal: WireError) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export function refused(code: ErrorCode, detail?: string): Refused {
  return new Refused(wireError(code, detail));
}

interface Answer {
  status: number;
  error: WireError;
}

export function errorHandler(metrics: Metrics) {
  return (failure: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const { status, error } = answerTo(failure);
    if (status >= 500) {
      metrics.faults.inc({ place: 'api' });
      const fields = { err: failure, route: request.routeOptions.url };
      if (status === 503) request.log.warn(fields, 'a request could not be answered for now');
      else request.log.error(fields, 'a request failed unexpectedly');
    }
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    if (status === 429 || status === 503)
      reply.header('retry-after', Math.max(1, Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)));
    // What was to be a file is none.
    reply.removeHeader('content-disposition');
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send({ error: { code: error.code, message: error.message } });
  };
}

export function answerTo(failure: unknown): Answer {
  if (failure instanceof Refused) return { status: statuses[failure.refusal.code], error: failure.refusal };
  if (failure instanceof UnknownSchema)
    return { status: statuses[failure.code], error: wireError(failure.code, failure.message) };
  if (failure instanceof CodedError) return { status: statuses[failure.code], error: asWireError(failure) };
  const status = frameworkStatus(failure);
  if (status === undefined) return { status: 500, error: wireError('internal') };
  return { status, error: wireError('invalid_payload', frameworkMessage(failure)) };
}

/** What fastify itself refuses: a body that is too large, of another type, not JSON; an address that can't be decoded. */
function frameworkStatus(failure: unknown): number | undefined {
  if (!(failure instanceof Error) || !('statusCode' in failure)) return undefined;
  const { statusCode } = failure;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

function frameworkMessage(failure: unknown): string {
  return failure instanceof Error ? failure.message : 'the request is not valid';
}

/** Answers what is not even HTTP, before any request exists. */
export function answerBrokenRequest(failure: NodeJS.ErrnoException, socket: Socket): void {
  if (failure.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
  const status = brokenStatuses[failure.code ?? ''] ?? 400;
  const { code, message } = wireError('invalid_payload', 'the request is not valid HTTP');
  const body = JSON.stringify({ error: { code, message } });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

const brokenStatuses: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };
