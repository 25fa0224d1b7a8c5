/** Connections to Postgres: that break, that wait for each other, that grow old; several hosts; TLS. */
import { spawnSync } from 'node:child_process';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Address } from '../../../projections/database/connection.ts';
import { type Pool, type PoolOptions, pool } from '../../../projections/database/pool.ts';
import { networkTo } from '../../kit/network.ts';
import { freePort } from '../../kit/ports.ts';
import { startPostgres } from '../../kit/postgres.ts';
import { program } from '../../kit/program.ts';
import { sharedPostgres } from '../../kit/shared.ts';
import { until } from '../../kit/until.ts';

const opened: Pool[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

function open(address: Address, options: Partial<PoolOptions> = {}): Pool {
  const made = pool(address, { max: 1, ...options });
  opened.push(made);
  return made;
}

const ask = (connections: Pool, text: string) =>
  connections.run(async (sql) => (await sql.unsafe(text))[0]?.answer);
const backend = (connections: Pool) => ask(connections, 'select pg_backend_pid() as answer');
const told = (work: Promise<unknown>) => work.then(String, (error: Error) => error.message);

/** The sockets that connect from now on. */
function connecting(): Socket[] {
  return vi.spyOn(Socket.prototype, 'connect').mock.contexts as Socket[];
}

/** The one of them that this connection is: another client of the process may connect at the same time. */
async function ownOf(connections: Pool, sockets: Socket[]): Promise<Socket> {
  const port = await ask(connections, 'select inet_client_port() as answer');
  const [own, ...others] = sockets.filter(({ localPort }) => localPort === port);
  expect(others).toEqual([]);
  if (own === undefined) throw new Error(`none of ${sockets.length} sockets is at port ${port}`);
  return own;
}

/** A server of these tests' own, and what came to it. */
async function serving(onConnection: (socket: Socket) => void) {
  let made = 0;
  const server = createServer((socket) => {
    made++;
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `postgres://somebody@127.0.0.1:${(server.address() as AddressInfo).port}/nothing`,
    made: () => made,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

describe('[J24] a connection that broke', () => {
  it('with a statement not yet written costs that statement alone', async () => {
    const url = await sharedPostgres();
    const sockets = connecting();
    const connections = open({ url });
    const own = await ownOf(connections, sockets);
    // The driver writes in the next phase of immediates, and sockets close before it.
    await turn();
    const lost = told(ask(connections, 'select 1 as answer'));
    for (let count = 0; count < 20; count++) await undefined;
    own.destroy();
    expect(await lost).toMatch(/CONNECTION_CLOSED/);

    const began = performance.now();
    expect(await ask(connections, 'select 2 as answer')).toBe(2);
    // The driver by itself waits for five seconds and fails, again and again.
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  it('while it was made fails what waited for it, and is made once', async () => {
    const server = await serving((socket) => socket.once('data', () => socket.end()));
    const connections = open({ url: server.url });
    expect(await told(ask(connections, 'select 1 as answer'))).toMatch(
      /hung up while the connection was made/,
    );
    expect(await told(ask(connections, 'select 1 as answer'))).toMatch(
      /hung up while the connection was made/,
    );
    expect(server.made()).toBe(2);
    await server.close();
  });

  it('while nobody used it is replaced without anybody noticing', async () => {
    const network = await networkTo(await sharedPostgres());
    const connections = open({ url: network.url });
    await backend(connections);
    network.cut('fin');
    await until(() => network.open() === 0, { what: 'the connection to be gone' });
    await turn();
    expect(await ask(connections, 'select 3 as answer')).toBe(3);
    await network.close();
  });

  it('by the will of Postgres is not used again, also by who waits for it', async () => {
    const connections = open({ url: await sharedPostgres() });
    const first = await backend(connections);
    const ended = told(ask(connections, 'select pg_terminate_backend(pg_backend_pid()) as answer'));
    const next = backend(connections);
    expect(await ended).toMatch(/terminat|CONNECTION_CLOSED/);
    expect(await next).not.toBe(first);
  });

  it('that Postgres refused tells everyone who waits for one why', async () => {
    const url = new URL(await sharedPostgres());
    url.pathname = 'no_such_database';
    const connections = open({ url: url.href });
    const asked = Array.from({ length: 3 }, () => told(ask(connections, 'select 1 as answer')));
    for (const reason of await Promise.all(asked)) expect(reason).toMatch(/no_such_database.*does not exist/);
  });

  it('that nothing gets through any more is let go of', async () => {
    const network = await networkTo(await sharedPostgres());
    const sockets = connecting();
    const connections = open({ url: network.url });
    await backend(connections);
    network.swallow();
    const asked = told(ask(connections, 'select 1 as answer'));
    await turn();
    await connections.close();
    expect(await asked).toMatch(/CONNECTION_(DESTROYED|CLOSED|ENDED)/);
    expect(sockets[0]?.destroyed).toBe(true);
    await network.close();
  });
});

describe('connections that are shared', () => {
  it('are at most as many as allowed', async () => {
    const connections = open({ url: await sharedPostgres() }, { max: 3 });
    const backends = await Promise.all(Array.from({ length: 30 }, () => backend(connections)));
    expect(new Set(backends).size).toBe(3);
  });

  it('are had in the order in which they were asked for', async () => {
    const connections = open({ url: await sharedPostgres() });
    const order: number[] = [];
    const all = Array.from({ length: 20 }, (_, index) => backend(connections).then(() => order.push(index)));
    await Promise.all(all);
    expect(order).toEqual(all.map((_, index) => index));
  });

  it('send the last few bytes of a COPY without waiting for an acknowledgement of those before', async () => {
    const url = await sharedPostgres();
    const sockets = connecting();
    const undelayed = vi.spyOn(Socket.prototype, 'setNoDelay');
    const own = await ownOf(open({ url }), sockets);
    expect(undelayed.mock.contexts).toContain(own);
  });

  it('stay after what Postgres refused', async () => {
    const connections = open({ url: await sharedPostgres() });
    const first = await backend(connections);
    expect(await told(ask(connections, 'select 1 / 0'))).toMatch(/division by zero/);
    expect(await backend(connections)).toBe(first);
  });

  it('are replaced once they are too old', async () => {
    const url = await sharedPostgres();
    const connections = open({ url }, { lifetimeMs: 0 });
    const first = await backend(connections);
    expect(await backend(connections)).not.toBe(first);
    const counting = open({ url });
    const others = `select count(*)::integer as answer from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await until(async () => (await ask(counting, others)) === 0, { what: 'no backend to be left over' });
  });

  it('that are closed finish what is under way, and refuse what waits or comes later', async () => {
    const connections = open({ url: await sharedPostgres() });
    const running = ask(connections, `select 4 as answer from pg_sleep(0.2)`);
    const late = told(ask(connections, 'select 1 as answer'));
    await turn();
    await connections.close();
    expect(await running).toBe(4);
    expect(await late).toMatch(/closed/);
    expect(await told(ask(connections, 'select 1 as answer'))).toMatch(/closed/);
  });
});

describe('several hosts', () => {
  it('are tried in order until one answers', async () => {
    const url = new URL(await sharedPostgres());
    const away = `127.0.0.1:${await freePort()}`;
    const listed = (...hosts: string[]) => `postgres://postgres@${hosts.join(',')}${url.pathname}`;
    expect(await ask(open({ url: listed(away, url.host) }), 'select 5 as answer')).toBe(5);
    expect(await ask(open({ url: listed(url.host, away) }), 'select 6 as answer')).toBe(6);
    expect(await told(ask(open({ url: listed(away, away) }), 'select 7 as answer'))).toMatch(
      /any of the hosts/,
    );
  });
});

describe('TLS', () => {
  it('is used where the address asks for it, and a certificate that nobody vouches for is refused', async () => {
    const server = await startPostgres({ tls: true });
    const url = (mode: string) => `postgres://postgres@localhost:${server.port}/postgres?sslmode=${mode}`;
    const isEncrypted = 'select ssl as answer from pg_stat_ssl where pid = pg_backend_pid()';
    expect(await ask(open({ url: url('disable') }), isEncrypted)).toBe(false);
    expect(await ask(open({ url: url('require') }), isEncrypted)).toBe(true);
    expect(await told(ask(open({ url: url('verify-full') }), isEncrypted))).toMatch(
      /self-signed certificate/,
    );

    const migrate = (NODE_EXTRA_CA_CERTS: string) =>
      spawnSync(process.execPath, [program, 'migrate'], {
        encoding: 'utf8',
        env: { ...process.env, NODE_EXTRA_CA_CERTS, DATABASE_URL: url('verify-full') },
      });
    expect(migrate(server.certificate)).toMatchObject({ status: 0 });
    await server.close();
  });
});
