/** What a test opens is closed after it, the last thing first. */
import { afterEach } from 'vitest';

interface Closable {
  close(): unknown;
}

/** To be called at the top of a test file. What is returned takes something that was opened, and hands it on. */
export function closingAfterEach(): <T extends Closable>(made: T) => T {
  const opened: Closable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each.close();
  });
  return (made) => {
    opened.push(made);
    return made;
  };
}
