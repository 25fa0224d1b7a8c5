/**
 * One connection to Postgres: a client of postgres.js that has one socket in its life.
 *
 * The driver itself goes on with a client whose socket ended, on a new one. postgres.js 3.4.9 is not safe in that: what was not
 * written yet when the socket ended stops it from ever writing again, so that each statement waits for `connect_timeout` in
 * vain, and a server that hangs up during the handshake is called again at once and for ever, with the statement neither sent
 * nor rejected (porsager/postgres#1193; docs/decisions/0005).
 */
import { type NetConnectOpts, Socket } from 'node:net';
import postgres from 'postgres';

export interface Connection {
  /** When it was made: milliseconds of `performance.now`. */
  readonly madeAt: number;
  readonly isOver: boolean;
  /** Rejects with what the driver says, and once the connection is over. One at a time. */
  use<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** Lets the statement under way end, for `seconds`. */
  end(seconds: number): Promise<void>;
}

export interface Address {
  /** With several hosts the first that answers is taken. */
  url: string;
  /** How values are written and read, where not as the driver does. */
  types?: Record<string, postgres.PostgresType> | undefined;
}

/** Where the driver wants a socket to. */
interface Hosts {
  host: string[];
  port: number[];
  path?: string | false | undefined;
}

/** Connects when first used. `onOver` is told once, when it can't be used any more. */
export function connection({ url, types = {} }: Address, onOver: () => void): Connection {
  let socket: Socket | undefined;
  let tries = 0;
  let isOver = false;
  let reject: ((error: Error) => void) | undefined;

  function over(message: string): Error {
    const error = new Error(message);
    if (!isOver) {
      isOver = true;
      onOver();
      // The driver's own error says more, where it has one.
      setImmediate(() => reject?.(error));
    }
    return error;
  }

  const sql = postgres(url, {
    // Times are read back as text, whatever zone the server is set to.
    connection: { TimeZone: 'UTC', application_name: 'workshop' },
    types,
    max: 1,
    max_lifetime: null,
    connect_timeout: 5,
    fetch_types: false,
    onnotice: () => undefined,
    onclose: () => over('the connection to Postgres ended'),
    socket(hosts: Hosts) {
      if (tries === hosts.host.length) throw over(unreached(hosts));
      socket = socketTo(hosts, tries++);
      return socket;
    },
  } as postgres.Options<Record<string, postgres.PostgresType>>); // `socket` is missing in the driver's types

  return {
    madeAt: performance.now(),
    get isOver() {
      return isOver;
    },
    use: (work) =>
      new Promise((resolve, rejectWith) => {
        reject = rejectWith;
        work(sql).then(resolve, rejectWith);
      }),
    async end(seconds) {
      await sql.end({ timeout: seconds });
      socket?.destroy();
    },
  };
}

function unreached({ host }: Hosts): string {
  return host.length === 1
    ? 'Postgres hung up while the connection was made'
    : `no Postgres lets us in at any of the hosts ${host.join(', ')}`;
}

/** Without Nagle's algorithm, which the driver leaves on: the end of a COPY would wait some 40 ms for what went before it. */
function socketTo({ host: hosts, port: ports, path }: Hosts, index: number): Socket {
  const socket = new Socket();
  // As an option of `connect` it would be ignored: there it is for sockets that `net.connect` makes.
  socket.setNoDelay(true);
  // The driver listens for errors from the next turn on.
  const connect = (options: NetConnectOpts) => setImmediate(() => socket.connect(options));
  if (path) {
    connect({ path });
    return socket;
  }
  const [host, port] = [hosts[index] ?? 'localhost', ports[index] ?? 5_432];
  connect({ host, port });
  // As the driver does, which verifies a certificate by it.
  return Object.assign(socket, { host, port });
}
