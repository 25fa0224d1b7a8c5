/** What is done to one partition: one thing at a time, in the order in which it was asked for. The first that fails ends it all. */

export interface Turns {
  /** Runs it once what was asked for before is done; not at all where that has ended meanwhile. Never rejects. */
  take(work: () => Promise<void>): Promise<void>;
  /** The same for whoever needs an answer. Rejects where there is none. */
  answer<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is under way any more. */
  readonly last: Promise<void>;
}

/** `signal` says that it has ended; `onFailure` sees to that. */
export function turns(signal: AbortSignal, onFailure: (error: unknown) => void): Turns {
  let last: Promise<void> = Promise.resolve();

  function take(work: () => Promise<void>): Promise<void> {
    last = last
      .then(async () => {
        if (!signal.aborted) await work();
      })
      .catch(onFailure);
    return last;
  }

  return {
    take,
    async answer<T>(work: () => Promise<T>): Promise<T> {
      let answer: { value: T } | undefined;
      await take(async () => {
        answer = { value: await work() };
      });
      if (answer !== undefined) return answer.value;
      throw signal.reason ?? new Error('it came to an end');
    },
    get last() {
      return last;
    },
  };
}
