/** A store that is frozen neither answers nor fails: whoever waits for it is told in time. */
import { CodedError } from '../protocol/errors.ts';

/** The answer, or `unavailable` after so many milliseconds; the answer then comes to nobody. */
export function inTime<T>(answer: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new CodedError('unavailable', `${what} takes too long`)),
      Math.max(ms, 0),
    );
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
