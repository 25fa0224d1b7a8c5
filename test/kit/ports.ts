/** Free ports of 127.0.0.1 for servers that tests start, and restart on the same port. */
import { createServer } from 'node:net';

// Below what the kernel gives to outgoing connections (from 32768 on). A port out of that range can be taken by a client
// while its server restarts; a client that keeps trying to reconnect can even be connected to itself.
const lowest = 10_000;
const highest = 32_000;

const given = new Set<number>();

/** A port that nothing listens on, given out once in this process. Chosen at random, so that processes rarely meet. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
