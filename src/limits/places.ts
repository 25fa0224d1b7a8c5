/** How many of something an account may have at once on this node. */

export interface Places {
  /** Takes one; what it answers with gives it back, and may be called again. Undefined where all are taken. */
  take(account: number): (() => void) | undefined;
}

/** `most` for each account. */
export function places(most: number): Places {
  const taken = new Map<number, number>();

  function leave(account: number): void {
    const left = (taken.get(account) ?? 0) - 1;
    if (left > 0) taken.set(account, left);
    else taken.delete(account);
  }

  return {
    take(account) {
      const count = taken.get(account) ?? 0;
      if (count >= most) return undefined;
      taken.set(account, count + 1);
      let isTaken = true;
      return () => {
        if (isTaken) leave(account);
        isTaken = false;
      };
    },
  };
}
