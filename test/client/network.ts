/** The network between a client and a server, which a test can break: a TCP proxy on 127.0.0.1. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Network {
  /** Where the server is to be found on the other side of it. */
  url: string;
  /** How many connections were made since it is there. */
  made(): number;
  /** How many there are now. */
  open(): number;
  /** Breaks every connection; new ones are made as ever. */
  cut(): void;
  /** Breaks every connection, and each new one at once, until `mend`. */
  sever(): void;
  /** What the server says gets lost until `mend`; what is said to it arrives. */
  deafen(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function networkTo(url: string): Promise<Network> {
  const { hostname, port } = new URL(url);
  const pairs = new Map<Socket, Socket>();
  let made = 0;
  let severed = false;
  let deaf = false;

  const proxy = createServer((client) => {
    made++;
    if (severed) return void client.destroy();
    const server = connect(Number(port), hostname);
    pairs.set(client, server);
    for (const [here, there] of [
      [client, server],
      [server, client],
    ] as const) {
      here.on('data', (chunk) => {
        if (!deaf || here === client) there.write(chunk);
      });
      // Whatever ended one side ends the other; a connection that broke has nothing more to say.
      here.on('error', () => here.destroy());
      here.on('close', () => {
        there.destroy();
        pairs.delete(client);
      });
    }
  });

  function cut(): void {
    for (const [client, server] of pairs) {
      client.destroy();
      server.destroy();
    }
  }

  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    made: () => made,
    open: () => pairs.size,
    cut,
    sever() {
      severed = true;
      cut();
    },
    deafen() {
      deaf = true;
    },
    mend() {
      severed = false;
      deaf = false;
    },
    async close() {
      const closed = new Promise((resolve) => proxy.close(resolve));
      cut();
      await closed;
    },
  };
}
