/**
 * Traces by OpenTelemetry's API, where it is installed and an SDK records: one span for each command of a socket, from its arrival
 * over the append to handing its events to the sockets of this node. Without them nothing of this runs.
 *
 *   arrived ──► appended (event) ──► broadcast (event), end
 *      │            └── nothing to show here: end
 *      └── refused, or nothing changed: end
 *
 * Names follow the semantic conventions (`user.id`, `error.type`); what they do not have begins with `workshop.`.
 */
import type { Span } from '@opentelemetry/api';
import type { CommandName } from '../domain/catalog.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import { wireName } from '../protocol/wire.ts';

export interface Tracing {
  /** A command arrived. Undefined where nobody records it. */
  begin(arrived: Arrived): CommandSpan | undefined;
  /** Events of a workshop, in the order of their versions, were handed to the sockets of this node. */
  sent(workshopId: number, events: readonly RecordedEvent[]): void;
}

export interface Arrived {
  name: CommandName;
  /** As the client sent it. */
  raw: unknown;
  userId: number;
  /** Whether this node shows the workshop to anyone: then its events are going to be `sent`. */
  isShown(workshopId: number): boolean;
}

export interface CommandSpan {
  answered(answer: Answered): void;
  /** Nothing follows any more: ends what was never answered, such as a join whose socket is gone. */
  over(): void;
}

type Answered = { ok: boolean; version?: unknown; changed?: unknown; error?: { code: string } };

type Api = typeof import('@opentelemetry/api');

interface Open {
  span: Span;
  /** What was sent of its workshop since it came. */
  sent: RecordedEvent[];
  /** Of the last event that it appended, once it is answered. */
  version: number | undefined;
  stage: 'arrived' | 'answered' | 'ended';
}

/** For what is never broadcast, such as by a node that lost sight of the log, in milliseconds. */
const patienceMs = 5_000;
/** Faults of ours; every other refusal is the caller's. */
const faults: readonly (string | undefined)[] = ['unavailable', 'internal'];

/** Undefined where OpenTelemetry's API is not installed. */
export async function openTracing(version: string): Promise<Tracing | undefined> {
  const api = await installed();
  return api && tracing(api, version);
}

async function installed(): Promise<Api | undefined> {
  try {
    return await import('@opentelemetry/api');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function tracing(api: Api, version: string): Tracing {
  const tracer = api.trace.getTracer('workshop-rooms', version);
  /** By workshop: answered or not, and not yet seen in what was sent. */
  const open = new Map<number, Set<Open>>();

  function end(workshopId: number, each: Open): void {
    if (each.stage === 'ended') return;
    each.stage = 'ended';
    const others = open.get(workshopId);
    if (others?.delete(each) && others.size === 0) open.delete(workshopId);
    each.span.end();
  }

  /** True where it is over. */
  function isBroadcast({ span, sent, version: own }: Open): boolean {
    const last = own === undefined ? undefined : sent.find((event) => event.version === own);
    if (last === undefined) return false;
    span.setAttribute('workshop.command.id', last.commandId);
    span.addEvent('broadcast');
    return true;
  }

  return {
    begin({ name, raw, userId, isShown }) {
      const span = tracer.startSpan(wireName(name), { kind: api.SpanKind.SERVER });
      if (!span.isRecording()) return undefined;
      const { workshopId, commandId } = headerOf(raw);
      span.setAttributes({ 'user.id': String(userId), 'workshop.id': workshopId });
      if (commandId !== undefined) span.setAttribute('workshop.command.id', commandId);
      const each: Open = { span, sent: [], version: undefined, stage: 'arrived' };
      open.set(workshopId, (open.get(workshopId) ?? new Set()).add(each));
      return {
        answered({ ok, version: last, changed, error }) {
          each.stage = 'answered';
          if (error !== undefined) span.setAttribute('error.type', error.code);
          if (faults.includes(error?.code)) span.setStatus({ code: api.SpanStatusCode.ERROR });
          if (!ok || changed !== true || typeof last !== 'number') return end(workshopId, each);
          span.setAttribute('workshop.version', last);
          span.addEvent('appended');
          each.version = last;
          if (!isShown(workshopId) || isBroadcast(each)) end(workshopId, each);
          else setTimeout(() => end(workshopId, each), patienceMs).unref();
        },
        over() {
          if (each.stage === 'arrived') end(workshopId, each);
        },
      };
    },
    sent(workshopId, events) {
      for (const each of open.get(workshopId) ?? []) {
        each.sent.push(...events);
        if (isBroadcast(each)) end(workshopId, each);
      }
    },
  };
}

/** Of a payload that nobody has looked at yet; 0 is no workshop's id. */
function headerOf(raw: unknown): { workshopId: number; commandId: string | undefined } {
  const { workshopId, commandId } = Object(raw);
  return {
    workshopId: Number.isSafeInteger(workshopId) ? workshopId : 0,
    commandId: typeof commandId === 'string' ? commandId.slice(0, 36) : undefined,
  };
}
