/**
 * Where a Postgres is and how it is spoken to, read from a URL: several hosts with ports, IPv6, Unix sockets, and the parameters
 * that `urlParameters.ts` knows. Read by ourselves since neither `URL` nor the driver takes all of these. Knows no driver: the
 * configuration is checked with it before anything is loaded.
 */
import { accessSync, constants } from 'node:fs';
import { refusalOf, type Said, urlParameters } from './urlParameters.ts';

/** One place where a server may be: a name or an address with a port, or the file of a Unix socket. */
export type Host = { host: string; port: number } | { path: string };

export interface ServerAddress {
  /** In the order in which they are tried; none where the URL names none. */
  hosts: Host[];
  user: string | undefined;
  password: string | undefined;
  database: string | undefined;
  tls: Tls | undefined;
  applicationName: string;
  /** How long one host may take until it has let us in, in milliseconds. */
  connectMs: number;
  /** Somebody said that a pooler is in between; it is found out as well. */
  isPooled: boolean;
  /** What the proxy of a provider finds the database by. */
  tenant: string | undefined;
}

export interface Tls {
  mode: 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /** TLS from the first byte on, without asking before. */
  isDirect: boolean;
  /** Files. */
  ca: string | undefined;
  certificate: string | undefined;
  key: string | undefined;
  keyPassword: string | undefined;
  min: 'TLSv1.2' | 'TLSv1.3' | undefined;
  max: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/** Says in one line, without a word of what may be secret, what is wrong with a URL. */
export class AddressError extends Error {
  override name = 'AddressError';
}

const standardPort = '5432';
const form = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/;

export function parseAddress(url: string): ServerAddress {
  const [, account, hostList = '', path = '', query = ''] =
    form.exec(url) ?? fail(/^postgres(ql)?:\/\//.test(url) ? unreadable : 'must be a postgres:// URL');
  // Then the ? is one within a password, and what follows is no name that may be repeated.
  if (account === undefined && query.includes('@')) fail(unreadable);
  const said = parameters(query);
  const [user, password] = accountOf(account ?? '');
  return {
    hosts: hostsOf(said.host ?? hostList, said.port),
    user: said.user ?? user,
    password: said.password ?? password,
    database: said.database ?? (decoded(path) || undefined),
    tls: tlsOf(said),
    applicationName: said.applicationName ?? 'workshop',
    connectMs: 1_000 * connectSeconds(said.connectSeconds),
    isPooled: said.pooled === 'true',
    tenant: said.tenant,
  };
}

const unreadable =
  'is no URL of a Postgres: in a user, password or name, write / ? # and @ as %2F %3F %23 and %40';

function fail(message: string): never {
  throw new AddressError(message);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('has a % that begins no character: write a % itself as %25');
  }
}

function accountOf(account: string): [string | undefined, string | undefined] {
  const [user = '', ...password] = account.split(':');
  return [decoded(user) || undefined, decoded(password.join(':')) || undefined];
}

function parameters(query: string): Said {
  const said: Said = {};
  for (const part of query.split('&').filter((each) => each !== '')) {
    const [name = '', ...rest] = part.split('=');
    const value = decoded(rest.join('='));
    const known = decoded(name);
    const refusal = refusalOf(known, value);
    if (refusal !== undefined) fail(refusal);
    const parameter = urlParameters[known];
    if (parameter?.kind === 'understood' && value !== '')
      said[parameter.says] = parameter.as?.[value] ?? value;
  }
  return said;
}

function hostsOf(list: string, ports: string | undefined): Host[] {
  const parts = list === '' ? [] : list.split(',');
  const given = ports?.split(',') ?? [];
  if (given.length > 1 && given.length !== parts.length)
    fail('its parameter port has to be one for all hosts, or one for each');
  return parts.map((part, index) => hostOf(part, given[index] ?? given[0]));
}

const socketFile = /\/\.s\.PGSQL\.\d+$/;

function hostOf(part: string, fallback = standardPort): Host {
  const [, bracketed, plain = '', after] =
    /^(?:\[([^\]]*)\]|([^:[\]]*|\/.*))(?::(\d+))?$/.exec(part) ?? fail(notHost);
  const host = decoded(bracketed ?? plain);
  const port = after ?? fallback;
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) fail('has a port that is none');
  if (host.startsWith('/'))
    return { path: socketFile.test(host) ? host : `${host.replace(/\/$/, '')}/.s.PGSQL.${port}` };
  if (host.startsWith('@'))
    fail('names a socket without a file, which is not taken: name the folder of its file');
  if (bracketed !== undefined ? !/^[\da-fA-F:.]+(%\w+)?$/.test(host) : !/^[^\s:/[\]%]+$/.test(host))
    fail(notHost);
  return { host, port: Number(port) };
}

const notHost =
  'has a host that is none: a name, an address, an IPv6 address as [::1], or the folder of a Unix socket as %2Fvar%2Frun%2Fpostgresql, several with commas';

function connectSeconds(text = '0'): number {
  if (!/^\d{1,4}$/.test(text)) fail('its parameter connect_timeout must be a number of seconds');
  return Number(text) || 5;
}

function tlsOf(said: Said): Tls | undefined {
  const { sslrootcert } = said;
  const system = sslrootcert === 'system';
  let mode = said.sslmode ?? (system ? 'verify-full' : 'disable');
  if (mode === 'disable') return undefined;
  // As libpq does: who names the certificates to trust wants them to be looked at.
  if (mode === 'require' && sslrootcert !== undefined && !system) mode = 'verify-ca';
  if (system && mode !== 'verify-full') fail('its parameter sslrootcert=system needs sslmode=verify-full');
  for (const name of ['sslrootcert', 'sslcert', 'sslkey'] as const) readable(name, said[name]);
  if ((said.sslcert === undefined) !== (said.sslkey === undefined))
    fail('its parameters sslcert and sslkey need each other');
  return {
    mode: mode as Tls['mode'],
    isDirect: said.sslnegotiation === 'direct',
    ca: system ? undefined : sslrootcert,
    certificate: said.sslcert,
    key: said.sslkey,
    keyPassword: said.sslpassword,
    min: said.minTls as Tls['min'],
    max: said.maxTls as Tls['max'],
  };
}

/** At start, and not at the first connection. */
function readable(name: string, file: string | undefined): void {
  if (file === undefined || file === 'system') return;
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    fail(`its parameter ${name} names a file that can't be read (${reason})`);
  }
}

/** For people and logs: whom and where, never a password. */
export function shownAddress({ user, hosts, database }: ServerAddress): string {
  const account = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  return `postgres://${account}${hosts.map(shownHost).join(',')}/${encodeURIComponent(database ?? '')}`;
}

export function shownHost(host: Host): string {
  if ('path' in host) return host.path;
  return `${host.host.includes(':') ? `[${host.host}]` : host.host}:${host.port}`;
}
