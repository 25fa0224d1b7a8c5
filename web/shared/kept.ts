/** What is kept for this tab over a reload. A browser may refuse to keep anything: then it counts while the page is open. */

export interface Kept<T> {
  /** null where nothing is kept, or something else under our name. */
  read(): T | null;
  /** null: nothing any more. */
  write(value: T | null): void;
}

export function keptIn<T>(name: string, isOne: (noted: unknown) => noted is T): Kept<T> {
  const key = `workshop-rooms.${name}`;
  return {
    read() {
      try {
        const noted: unknown = JSON.parse(sessionStorage.getItem(key) ?? 'null');
        return isOne(noted) ? noted : null;
      } catch {
        return null;
      }
    },
    write(value) {
      try {
        if (value === null) sessionStorage.removeItem(key);
        else sessionStorage.setItem(key, JSON.stringify(value));
      } catch {
        // Then it is not kept.
      }
    },
  };
}

export const isText = (noted: unknown): noted is string => typeof noted === 'string';
