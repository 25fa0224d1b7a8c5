/** What the REST interface is built from, and what each of its routes gets. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { User } from '../domain/define.ts';
import type { Engine } from '../engine/engine.ts';
import type { History } from '../history/history.ts';
import type { PastSnapshots } from '../history/stateAt.ts';
import type { Addresses } from '../identity/address.ts';
import type { Callers } from '../identity/callers.ts';
import type { OperatorKey } from '../identity/operatorKey.ts';
import type { Origins } from '../identity/origin.ts';
import type { Tokens } from '../identity/token.ts';
import type { Limits } from '../limits/limiter.ts';
import type { Kind } from '../limits/table.ts';
import type { EventLog } from '../log/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { NodeStatus } from '../observe/nodes.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { Page } from './page.ts';
import type { ReadModels } from './readModels.ts';
import type { Rooms } from './rooms.ts';
import type { Patience } from './streams.ts';
import type { Turns, TurnsSettings } from './turns.ts';

export interface RestParts {
  engine: Engine;
  log: EventLog;
  history: History;
  /** Where past rooms are taken up from; without them, or while they are away, they are folded from the first event on. */
  snapshots?: PastSnapshots;
  tokens: Tokens;
  /** Who calls; by those tokens if left out. */
  callers?: Callers | undefined;
  origins: Origins;
  metrics: Metrics;
  logger?: FastifyBaseLogger;
  readModels: ReadModels;
  config: RestConfig;
  /** Each rejects while the thing is away. */
  health: { log(): Promise<void>; database(): Promise<void> };
  /** Every process that shares the log, as operators see it. */
  nodes: () => Promise<NodeStatus[]>;
  addresses: Addresses;
  limits: Limits;
  /** Opens the routes of admins to the command line of this machine; those who sign in alone if left out. */
  operatorKey?: OperatorKey;
  /** With who reads a long answer slowly; the usual one if left out. */
  patience?: Patience;
  /** Where events are delivered; there are no such routes if left out. */
  webhooks?: Webhooks;
  /** Starts a simulated workshop and answers with its id; left out where that is not offered. */
  lively?: () => Promise<number>;
  /** The web page, bundled. */
  page?: Page;
  /** Health, metrics and the operators' routes alone: a node that serves no workshops. */
  operationsOnly?: boolean;
}

export interface RestConfig {
  /** Where browsers find the server, where that is not what requests name. */
  publicUrl?: string | undefined;
  /** The path of `publicUrl`, such as `/rooms`. */
  basePath?: string;
  /** Exact origins of other sites whose pages may ask, with cookies. */
  corsOrigins: readonly string[];
  production: boolean;
  /** Whether guests are signed in. */
  guests?: boolean;
  /** Nobody is refused for reading too much at once. */
  unlimited?: boolean;
}

/** Who may use a route at all; a visitor is whoever comes, signed in or not; what concerns one workshop is decided on its room. */
export type Who = 'anyone' | 'visitor' | 'user' | 'admin';

/** What routes are declared on: their schemas are zod's. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export interface RestContext extends RestParts {
  rooms: Rooms;
  /** Turns at something of one's own. */
  turnsAt(settings: TurnsSettings): Turns;
  /** At whole histories: up to 100,000 events each, and others read too. */
  readings: Turns;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required under `/api`. */
    who?: Who;
    /** What a request counts as that changes something; `change` if left out. */
    countsAs?: readonly Kind[];
  }
  interface FastifyRequest {
    /** Set where `who` is not `anyone`. */
    caller: User | null;
  }
  interface FastifyInstance {
    /** From now on the node says that it is not ready, so that nobody new is sent here; what comes is still served. */
    drain(): void;
    /** Whether a path is one of ours below `/api`. */
    takes(path: string): boolean;
  }
}
