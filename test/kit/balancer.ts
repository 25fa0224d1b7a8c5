/** A TCP load balancer in front of several nodes, as there is one in production: it sends nobody to a node that is not ready. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Balancer {
  url: string;
  /** The nodes behind it from now on. Connections that stand are left alone. */
  use(...urls: string[]): Promise<void>;
  close(): Promise<void>;
}

export async function balancer(checkMs = 500): Promise<Balancer> {
  let nodes: string[] = [];
  let ready: string[] = [];
  let next = 0;
  const open = new Set<Socket>();

  async function check(): Promise<void> {
    const states = await Promise.all(
      nodes.map(async (url) => ({
        url,
        ok: await fetch(`${url}/readyz`).then(
          (r) => r.ok,
          () => false,
        ),
      })),
    );
    ready = states.filter(({ ok }) => ok).map(({ url }) => url);
  }

  const checking = setInterval(() => void check(), checkMs);
  const server = createServer((client) => {
    const target = ready[next++ % ready.length];
    if (target === undefined) return void client.destroy();
    const { hostname, port } = new URL(target);
    const node = connect(Number(port), hostname);
    for (const [here, there] of [
      [client, node],
      [node, client],
    ] as const) {
      open.add(here);
      here.setNoDelay(true);
      here.pipe(there);
      here.on('error', () => here.destroy());
      here.on('close', () => {
        open.delete(here);
        there.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async use(...urls) {
      nodes = urls;
      await check();
    },
    async close() {
      clearInterval(checking);
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
