/**
 * The error codes of the wire and their English, in one table. Programs switch on `code`; `message` is for people.
 * `retryable` says that the same command, sent again with the same id, may succeed without anyone changing anything.
 */
import type { RefusalCode } from '../domain/define.ts';

interface Entry {
  message: string;
  retryable: boolean;
}

/** Every refusal of the domain is one of these codes: `satisfies` sees to it. */
const table = {
  unauthenticated: { message: 'sign in first', retryable: false },
  token_expired: { message: 'your sign-in has expired', retryable: false },
  invalid_payload: { message: 'the payload is not valid', retryable: false },
  not_found: { message: 'there is no such workshop', retryable: false },
  not_a_member: { message: 'you are not a member of this workshop: RSVP first', retryable: false },
  not_joined: { message: 'you are not in the room: join first', retryable: false },
  forbidden: { message: 'you may not do that', retryable: false },
  invalid_state: { message: 'the workshop is not in a state for that', retryable: false },
  removed: { message: 'you were removed from this workshop', retryable: false },
  workshop_full: { message: 'the workshop is full', retryable: true },
  target_not_found: { message: 'that person or message is not in this workshop', retryable: false },
  rate_limited: { message: 'too many commands: wait a moment', retryable: true },
  conflict: { message: 'the workshop is changing too fast: try again', retryable: true },
  unavailable: { message: 'the service cannot be reached right now: try again', retryable: true },
  internal: { message: 'something went wrong on our side', retryable: true },
  unknown_command: { message: 'there is no such command', retryable: false },
  slow_consumer: { message: 'you do not read what the room sends you: reconnect', retryable: true },
  unsupported_protocol: { message: 'this protocol version is not served', retryable: false },
} as const satisfies Record<RefusalCode, Entry> & Record<string, Entry>;

export type ErrorCode = keyof typeof table;
export const errorCodes = Object.keys(table) as ErrorCode[];

export interface WireError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  /** Milliseconds after which it is worth trying again; with `rate_limited` above all. */
  retryAfterMs?: number;
}

/** The error as it goes over the wire; `detail` replaces the table's message where it says more. */
export function wireError(code: ErrorCode, detail?: string, retryable?: boolean): WireError {
  const entry = table[code];
  return { code, message: detail ?? entry.message, retryable: retryable ?? entry.retryable };
}

/** Thrown where a coded failure ends what is under way: a fault, never a refusal of the domain. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(detail ?? table[code].message, options);
    this.name = 'CodedError';
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

export function asWireError({ code, message, retryAfterMs }: CodedError): WireError {
  return { ...wireError(code, message), ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** What a failed connection says of itself, in words: fetch and drivers hide it in a cause. */
export function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  // Several addresses that all refused are told as one that did.
  if (cause instanceof AggregateError) return causeOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
