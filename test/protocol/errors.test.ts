/** The table of error codes against the contract's list. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import { type RefusalCode, refusalCodes } from '../../src/domain/define.ts';
import { CodedError, type ErrorCode, errorCodes, wireError } from '../../src/protocol/errors.ts';

const contract: Record<ErrorCode, { retryable: boolean }> = {
  unauthenticated: { retryable: false },
  token_expired: { retryable: false },
  invalid_payload: { retryable: false },
  not_found: { retryable: false },
  not_a_member: { retryable: false },
  not_joined: { retryable: false },
  forbidden: { retryable: false },
  invalid_state: { retryable: false },
  removed: { retryable: false },
  workshop_full: { retryable: true },
  target_not_found: { retryable: false },
  rate_limited: { retryable: true },
  conflict: { retryable: true },
  unavailable: { retryable: true },
  internal: { retryable: true },
  unknown_command: { retryable: false },
  slow_consumer: { retryable: true },
  unsupported_protocol: { retryable: false },
};

describe('the error codes', () => {
  test('are those of the contract', () => {
    expect([...errorCodes].sort()).toEqual(Object.keys(contract).sort());
  });

  test.each(errorCodes)('%s has a message for people and says whether it is worth asking again', (code) => {
    const { message, retryable } = wireError(code);
    expect(message).toMatch(/^[a-z].{5,}[^.]$/);
    expect(retryable).toBe(contract[code].retryable);
  });

  test('have every refusal of the domain among them', () => {
    expectTypeOf<RefusalCode>().toExtend<ErrorCode>();
    expect(refusalCodes.filter((code) => !errorCodes.includes(code))).toEqual([]);
  });
});

describe('an error', () => {
  test('carries the table’s message unless there is more to say', () => {
    expect(wireError('forbidden')).toEqual({
      code: 'forbidden',
      message: 'you may not do that',
      retryable: false,
    });
    expect(wireError('invalid_payload', 'title: must have 1 to 200 characters').message).toBe(
      'title: must have 1 to 200 characters',
    );
    expect(wireError('conflict', undefined, false)).toMatchObject({ code: 'conflict', retryable: false });
  });

  test('that is thrown has its code and its cause', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new CodedError('rate_limited', undefined, { cause, retryAfterMs: 250 });
    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 250, cause });
    expect(error.message).toBe(wireError('rate_limited').message);
    expect(new CodedError('unavailable').retryAfterMs).toBeUndefined();
  });
});
