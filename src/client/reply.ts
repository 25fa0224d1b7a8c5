/** Answers to commands as the client hands them out: those of the server, and its own where none came. */
import { type ErrorCode, type WireError, wireError } from '../protocol/errors.ts';
import type { Reply } from '../protocol/wire.ts';

export type { Reply, WireError };

export function refusal(code: ErrorCode, detail?: string): Reply {
  return { ok: false, error: wireError(code, detail) };
}

/** An acknowledgement as it came. What is no reply counts as a failure of the server. */
export function readReply(answer: unknown): Reply {
  if (typeof answer === 'object' && answer !== null && 'ok' in answer) {
    // The shape of a reply follows from `ok`; fields that are not known here pass.
    if (answer.ok === true || (answer.ok === false && 'error' in answer)) return answer as Reply;
  }
  return refusal('internal', 'the server answered in a form that is not known here');
}
