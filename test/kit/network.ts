/**
 * The network between a client and a server, which a test can break: a TCP proxy on 127.0.0.1. It stands between browsers
 * and a node as well as between a node and Redis.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Direction = 'toServer' | 'toClient';

export interface Network {
  /** Where the server is to be found on the other side of it: its url with another host and port. */
  readonly url: string;
  /** How many connections were made since it is there. */
  made(): number;
  /** How many clients are connected now. */
  open(): number;
  /** Breaks every connection, by FIN or by RST; new ones are made as ever. */
  cut(how?: 'fin' | 'rst'): void;
  /** Breaks every connection, and each new one at once, until `mend`. */
  sever(): void;
  /**
   * Nothing gets through any more, not even that the other side is gone: connections stay, and new ones are accepted. What
   * is sent meanwhile waits, as it would for a retransmission. Both directions, or the given one alone; until `mend`.
   */
  swallow(direction?: Direction): void;
  /** As `swallow`, for good, but for the connections that there are now alone: new ones work. */
  strand(): void;
  /** What the server says does not arrive until `mend`; what is said to it does. */
  deafen(): void;
  /** Everything takes this much longer, each way, and at most so many bytes a second get through; until `mend`. */
  slow(options: Partial<Pace>): void;
  mend(): void;
  /** Leads to another server from now on. Connections to the former one break, unless they are to stay: as behind a virtual address. */
  pointTo(url: string, former?: 'break' | 'stay'): void;
  close(): Promise<void>;
}

export interface Pace {
  latencyMs: number;
  bytesPerSecond: number;
}

const fullSpeed: Pace = { latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
/** The longest piece that is passed on at once while there is a limit on bytes. */
const pieceBytes = 1_024;

export async function networkTo(url: string): Promise<Network> {
  let server = new URL(url);
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const swallowed = new Set<Direction>();
  const flows = new Set<Flow>();
  const stranded = new WeakSet<Flow>();
  let pace = fullSpeed;
  let made = 0;
  let severed = false;

  const proxy = createServer((client) => {
    made++;
    client.on('error', () => client.destroy());
    if (severed) return void client.resetAndDestroy();
    clients.add(client);
    client.on('close', () => clients.delete(client));
    const there = connect(Number(server.port), server.hostname);
    pass('toServer', client, there);
    pass('toClient', there, client);
  });

  function pass(direction: Direction, from: Socket, to: Socket): void {
    const isDead = () => swallowed.has(direction) || stranded.has(flow);
    const flow: Flow = flowOf(from, to, () => (isDead() ? null : pace));
    flows.add(flow);
    sockets.add(from);
    from.on('error', () => from.destroy());
    from.on('close', () => sockets.delete(from));
    to.on('close', () => flows.delete(flow));
  }

  function cut(how: 'fin' | 'rst' = 'rst'): void {
    for (const socket of sockets) {
      if (how === 'fin') socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const here = new URL(url);
  here.hostname = '127.0.0.1';
  here.port = String((proxy.address() as AddressInfo).port);
  return {
    // Without the slash that an address without a path gets.
    url: here.href.replace(/(?<=\d)\/$/, ''),
    made: () => made,
    open: () => clients.size,
    cut,
    sever() {
      severed = true;
      cut();
    },
    swallow(direction) {
      for (const each of direction === undefined ? (['toServer', 'toClient'] as const) : [direction])
        swallowed.add(each);
    },
    strand() {
      for (const flow of flows) stranded.add(flow);
    },
    deafen: () => void swallowed.add('toClient'),
    slow(options) {
      pace = { ...fullSpeed, ...options };
    },
    mend() {
      severed = false;
      swallowed.clear();
      pace = fullSpeed;
      for (const flow of flows) flow.goOn();
    },
    pointTo(next, former = 'break') {
      server = new URL(next);
      if (former === 'break') cut();
    },
    async close() {
      const closed = new Promise((resolve) => proxy.close(resolve));
      cut();
      await closed;
    },
  };
}

/** One direction of a connection. */
interface Flow {
  /** Passes on what waits, as far as the pace allows. */
  goOn(): void;
}

/** `pace` says how fast things go just now; null where nothing does. */
function flowOf(from: Socket, to: Socket, pace: () => Pace | null): Flow {
  const waiting: { chunk: Buffer; came: number }[] = [];
  let ended = false;
  /** When the line is free again, where bytes are limited. */
  let free = 0;
  let timer: NodeJS.Timeout | undefined;

  function goOn(): void {
    clearTimeout(timer);
    const now = pace();
    if (now === null || to.destroyed) return;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const wait = Math.max(next.came + now.latencyMs, free) - performance.now();
      if (now !== fullSpeed && wait > 0) {
        timer = setTimeout(goOn, wait);
        return;
      }
      waiting.shift();
      to.write(next.chunk);
      free = performance.now() + (1_000 * next.chunk.length) / now.bytesPerSecond;
    }
    if (ended) to.end();
    else if (from.isPaused()) from.resume();
  }

  from.on('data', (chunk: Buffer) => {
    const now = pace();
    const limited = now !== null && Number.isFinite(now.bytesPerSecond);
    const size = limited ? pieceBytes : chunk.length;
    for (let at = 0; at < chunk.length; at += size)
      waiting.push({ chunk: chunk.subarray(at, at + size), came: performance.now() });
    // What the line does not take stays with the sender.
    if (now === null || limited) from.pause();
    goOn();
  });
  from.on('close', () => {
    ended = true;
    goOn();
  });
  to.on('close', () => clearTimeout(timer));
  return { goOn };
}
