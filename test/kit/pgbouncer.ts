/**
 * A real pgbouncer in front of a Postgres, as providers and operators put it there: in transaction mode, where a client has
 * one of a few connections for as long as a transaction lasts, and the next one has it with whatever was left behind on it.
 */
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';
import { freePort } from './ports.ts';
import { serverUser } from './postgres.ts';
import { type RunningProcess, startProcess } from './process.ts';
import { required } from './programs.js';

export interface Pgbouncer {
  readonly port: number;
  /** The url of a database of the Postgres behind it, as it is reached through the pooler. */
  through(url: string): string;
  /** What it logged: connections made and ended, and errors that it answered with. */
  output(): string;
  close(): Promise<void>;
}

export interface PgbouncerOptions {
  /** Connections to Postgres, for each database and user. */
  poolSize?: number;
  mode?: 'transaction' | 'session' | 'statement';
  /** Who may connect; nobody needs a password. */
  users?: readonly string[];
  /** Further settings of its configuration file, such as `ignore_startup_parameters`. */
  extra?: Record<string, string>;
}

/** `server` is the url of any database of the Postgres that it is to stand before. */
export async function startPgbouncer(
  server: string,
  { poolSize = 2, mode = 'transaction', users = ['postgres'], extra = {} }: PgbouncerOptions = {},
): Promise<Pgbouncer> {
  const { hostname, port: serverPort } = new URL(server);
  const user = serverUser();
  const folder = temporaryFolder('pgbouncer');
  if (user !== undefined) chownSync(folder.path, user.uid, user.gid);
  const [file, userList] = [join(folder.path, 'pgbouncer.ini'), join(folder.path, 'users.txt')];
  writeFileSync(userList, users.map((name) => `"${name}" ""\n`).join(''));

  /** Between looking for a free port and taking it somebody else may have taken it: then it is another one. */
  async function start(tries: number): Promise<{ port: number; process: RunningProcess }> {
    const port = await freePort();
    const settings = {
      ...{ listen_addr: '127.0.0.1', listen_port: port, unix_socket_dir: '' },
      ...{ auth_type: 'trust', auth_file: userList },
      ...{ pool_mode: mode, default_pool_size: poolSize, max_client_conn: 200 },
      ...extra,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
    writeFileSync(
      file,
      `[databases]\n* = host=${hostname} port=${serverPort}\n[pgbouncer]\n${lines.join('\n')}\n`,
    );
    const process = await startProcess({
      command: required('pgbouncer'),
      args: [file],
      cwd: folder.path,
      ...(user !== undefined && { user }),
    });
    try {
      await process.waitFor(/process up/);
      return { port, process };
    } catch (error) {
      await process.stop();
      const isTaken = error instanceof Error && /Address already in use/.test(error.message);
      if (!isTaken || tries === 1) throw error;
      return start(tries - 1);
    }
  }

  const { port, process } = await start(3).catch(async (error: unknown) => {
    await folder.close();
    throw error;
  });
  return {
    port,
    through(url) {
      const here = new URL(url);
      here.hostname = '127.0.0.1';
      here.port = String(port);
      return here.href;
    },
    output: () => process.output(),
    async close() {
      await process.stop();
      await folder.close();
    },
  };
}
