/** A store that is frozen neither answers nor fails: whoever waits for it is told in time. */
import { CodedError } from '../protocol/errors.ts';

/** The answer, or `unavailable` after so many milliseconds; the answer then comes to nobody. */
export async function inTime<T>(answer: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new CodedError('unavailable', `${what} takes too long`)),
      Math.max(ms, 0),
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
