/** A real Postgres of a test's own, on a free port and in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { temporaryFolder } from './folder.ts';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { required } from './programs.js';

export interface PostgresServer {
  readonly port: number;
  /** The file of the certificate, where it was started with one. */
  readonly certificate: string;
  /** The url of a database that exists; of the one for administration if left out. */
  url(database?: string): string;
  /** Makes an empty database and returns its url. */
  createDatabase(): Promise<string>;
  /** The folder of its Unix socket. */
  readonly socketFolder: string;
  /** What the server logged since it last started. */
  output(): string;
  /** Ends it at once and without a checkpoint, so that the next start has to recover as after a crash. */
  kill(): Promise<void>;
  /** Starts it again after `kill`: same port, same data. */
  start(): Promise<void>;
  /** Ends it within a moment, whoever is connected, and starts it again: same port, same data. */
  restart(): Promise<void>;
  /** Ends it within a moment, whoever is connected, and takes its data away. */
  close(): Promise<void>;
}

/** Whom a server runs as that does not run as root. */
export interface User {
  uid: number;
  gid: number;
}

export interface PostgresOptions {
  /** Takes connections by TLS too, with a certificate for `localhost` that it signs itself. */
  tls?: boolean;
  /** The url of a server whose standby it is to be: it follows that one and takes no writes, until it is promoted. */
  standbyOf?: string;
}

export async function startPostgres({
  tls = false,
  standbyOf,
}: PostgresOptions = {}): Promise<PostgresServer> {
  const user = serverUser();
  const folder = temporaryFolder('postgres');
  if (user !== undefined) chownSync(folder.path, user.uid, user.gid);
  const cluster = join(folder.path, 'cluster');
  let port = await freePort();
  let server = await prepareAndStart();

  async function prepareAndStart() {
    try {
      if (standbyOf === undefined) unpack(clusterTemplate(user), folder.path, user);
      else run(baseBackup(), [...baseBackupOptions, '-d', standbyOf, '-D', cluster], user, folder.path);
      if (tls) run('openssl', certificateOptions, user, cluster);
      return await firstStart();
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  async function launch() {
    const launched = await startProcess({
      command: required('postgres').postgres,
      args: [
        ...['-D', cluster, '-p', String(port), '-k', folder.path],
        ...serverSettings,
        ...(tls ? tlsSettings : []),
      ],
      cwd: folder.path,
      ...(user !== undefined && { user }),
    });
    try {
      await launched.waitFor(/database system is ready to accept (read-only )?connections/);
    } catch (error) {
      await launched.stop({ signal: fastShutdown });
      throw error;
    }
    return launched;
  }

  /** Between looking for a free port and taking it somebody else may have taken it: then it is another one. */
  async function firstStart(tries = 3) {
    try {
      return await launch();
    } catch (error) {
      const isTaken = error instanceof Error && /Address already in use/.test(error.message);
      if (!isTaken || tries === 1) throw error;
      port = await freePort();
      return firstStart(tries - 1);
    }
  }

  const url = (database = administration) => `postgres://${superuser}@127.0.0.1:${port}/${database}`;
  return {
    port,
    socketFolder: folder.path,
    certificate: join(cluster, 'server.crt'),
    url,
    createDatabase: () => createDatabase(url()),
    output: () => server.output(),
    async kill() {
      await server.stop({ signal: immediateShutdown });
    },
    async start() {
      if (!server.isRunning()) server = await launch();
    },
    async restart() {
      await server.stop({ signal: fastShutdown, within: shutdownMs });
      server = await launch();
    },
    async close() {
      await server.stop({ signal: fastShutdown, within: shutdownMs });
      await folder.close();
    },
  };
}

// With what a standby needs to follow.
const baseBackupOptions = ['--write-recovery-conf', '--checkpoint=fast', '--no-sync'];

/** Beside the server, in every installation. */
function baseBackup(): string {
  return join(dirname(required('postgres').initdb), 'pg_basebackup');
}

const superuser = 'postgres';
const administration = 'postgres';
/** SIGTERM would wait for every client to leave by itself. */
const fastShutdown = 'SIGINT';
/** Killed earlier it would leave backends behind, which keep the next start from the same data. */
const shutdownMs = 30_000;
/** Not SIGKILL: that would leave the backends behind, and the next start would refuse while one of them is still there. */
const immediateShutdown = 'SIGQUIT';
// `C` sorts the same on every machine; the first folder of the template's archive is `cluster`.
const initdbOptions = [
  '--username',
  superuser,
  '--auth',
  'trust',
  '--encoding',
  'UTF8',
  '--locale',
  'C',
  '--no-sync',
];
// Debian's Postgres depends on openssl. The names are those that Postgres looks for in its folder.
const certificateOptions = [
  ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
  ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', 'server.key', '-out', 'server.crt'],
];
const tlsSettings = ['-c', 'ssl=on'];
// What it has written is with the system, which outlives it in every test: waiting for the disk would prove nothing.
const serverSettings = [
  ...['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200'],
  ...['-c', 'fsync=off', '-c', 'full_page_writes=off'],
];

/** Makes a database in the server that `administrationUrl` leads to, an empty one or a copy of `template`, and returns its url. */
export async function createDatabase(administrationUrl: string, template = 'template1'): Promise<string> {
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  const sql = postgres(administrationUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql`create database ${sql(database)} template ${sql(template)}`;
  } finally {
    await sql.end();
  }
  const url = new URL(administrationUrl);
  url.pathname = database;
  return url.href;
}

/** Postgres refuses to run as root: then it is the user `postgres`, or `nobody` where there is none. */
export function serverUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find(([account]) => account === name);
    if (account !== undefined) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error(
    'Postgres does not run as root, and there is neither a user `postgres` nor a user `nobody`',
  );
}

/**
 * The archive of a cluster as initdb makes it, made once for each machine, version and user (initdb takes over a second,
 * unpacking a tenth of one). One file, put in place by renaming: it is there as a whole or not at all, whoever else makes one
 * at the same time, and a cleaner of temporary files takes it as a whole.
 */
function clusterTemplate(user: User | undefined): string {
  const { initdb } = required('postgres');
  const version = run(initdb, ['--version'], user).match(/\d+(\.\d+)*/)?.[0] ?? 'unknown';
  const owner = user?.uid ?? process.getuid?.() ?? 0;
  const archive = join(tmpdir(), `workshop-postgres-template-${version}-${owner}.tar`);
  if (existsSync(archive)) return archive;

  const making = `${archive}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(making, { mode: 0o700 });
    if (user !== undefined) chownSync(making, user.uid, user.gid);
    run(initdb, [...initdbOptions, '-D', join(making, 'cluster')], user, making);
    run('tar', ['-cf', join(making, 'cluster.tar'), '-C', making, 'cluster'], user, making);
    renameSync(join(making, 'cluster.tar'), archive);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return archive;
}

function unpack(archive: string, folder: string, user: User | undefined): void {
  run('tar', ['-xf', archive, '-C', folder], user, folder);
}

function run(command: string, args: string[], user: User | undefined, cwd = tmpdir()): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd, ...user });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}
