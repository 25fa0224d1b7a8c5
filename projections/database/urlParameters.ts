/**
 * What may stand behind the `?` of a Postgres URL: one table, by which URLs are read (`address.ts`) and which the reference of the
 * configuration shows. None of it is sent to the server as a setting, as the driver would do with what it does not know: a pooler
 * refuses connections for that, and settings are the program's own (`session.ts`). What is not in the table is refused by its name,
 * so that nobody believes in what does nothing.
 */

/** What a parameter says, whatever it is called by those who hand the URL out. */
export interface Said {
  host?: string;
  port?: string;
  user?: string;
  password?: string;
  database?: string;
  sslmode?: string;
  sslrootcert?: string;
  sslcert?: string;
  sslkey?: string;
  sslpassword?: string;
  sslnegotiation?: string;
  minTls?: string;
  maxTls?: string;
  applicationName?: string;
  connectSeconds?: string;
  pooled?: string;
  tenant?: string;
}

export type UrlParameter = {
  /** For people. */
  note: string;
  /** Values that are taken, for people, and the test of one; any value if left out. */
  takes?: string;
} & (
  | { kind: 'understood'; says: keyof Said; as?: Record<string, string> }
  | { kind: 'ignored' }
  | { kind: 'refused' }
);

type Names<T> = Record<string, T>;

const understood = (says: keyof Said, note: string, takes?: string, as?: Record<string, string>) =>
  ({ kind: 'understood', says, note, ...(takes !== undefined && { takes }), ...(as && { as }) }) as const;
const ignored = (note: string, takes?: string) =>
  ({ kind: 'ignored', note, ...(takes !== undefined && { takes }) }) as const;
const refused = (note: string) => ({ kind: 'refused', note }) as const;

/** The same said of many. */
function all(names: string, parameter: UrlParameter): Names<UrlParameter> {
  return Object.fromEntries(names.split(' ').map((name) => [name, parameter]));
}

const modes = 'disable, allow, prefer, require, verify-ca, verify-full, no-verify';
const versions = 'TLSv1.2, TLSv1.3';
const writable = 'whatever it says, the host that takes writes is used: the tables are written';

export const urlParameters: Names<UrlParameter> = {
  host: understood(
    'host',
    'instead of the one before the path; several with commas, and folders of Unix sockets',
  ),
  port: understood('port', 'one for all hosts, or one for each'),
  user: understood('user', 'instead of the one before the host'),
  password: understood('password', 'instead of the one before the host'),
  dbname: understood('database', 'instead of the path'),

  sslmode: understood('sslmode', 'as libpq means it; `no-verify` is `require`', modes, {
    allow: 'prefer',
    'no-verify': 'require',
  }),
  ssl: understood('sslmode', '`true` is `verify-full`, `false` is `disable`', `true, false, 1, 0, ${modes}`, {
    true: 'verify-full',
    '1': 'verify-full',
    false: 'disable',
    '0': 'disable',
    allow: 'prefer',
    'no-verify': 'require',
  }),
  sslrootcert: understood('sslrootcert', 'file with the certificates that are trusted, or `system`'),
  sslcert: understood('sslcert', 'file with the certificate of the program'),
  sslkey: understood('sslkey', 'file with its key'),
  sslpassword: understood('sslpassword', 'password of that key'),
  sslnegotiation: understood('sslnegotiation', 'how TLS begins', 'postgres, direct'),
  ssl_min_protocol_version: understood('minTls', 'oldest version of TLS', versions),
  ssl_max_protocol_version: understood('maxTls', 'newest version of TLS', versions),
  ...all('sslcompression sslsni', ignored('TLS is never compressed, and always names the host')),
  uselibpqcompat: ignored('`sslmode` means what it means to libpq', 'true'),
  sslaccept: ignored('`strict` is `sslmode=verify-full`', 'accept_invalid_certs'),
  channel_binding: ignored(
    'the driver cannot do it: leave `require` out, and say `sslmode=verify-full`, which tells whom one speaks to',
    'disable, prefer',
  ),
  gssencmode: ignored('there is no encryption by GSSAPI here', 'disable, allow, prefer'),
  ...all(
    'sslcrl sslcrldir sslcertmode sslidentity requirepeer require_auth krbsrvname gsslib gssdelegation requiressl',
    refused('the driver has no such check, and without it less would be checked than was asked for'),
  ),

  target_session_attrs: ignored(writable, 'any, read-write, primary'),
  targetServerType: ignored(writable, 'any, primary, master, preferPrimary'),
  load_balance_hosts: ignored('hosts are tried in the order in which they are given', 'disable'),
  loadBalanceHosts: ignored('hosts are tried in the order in which they are given', 'false'),
  hostaddr: refused('give the address as the host'),

  pgbouncer: understood(
    'pooled',
    'a pooler in transaction mode; it is noticed without it too',
    'true, false',
  ),
  prepare: understood('pooled', '`false`: no prepared statements, as behind a pooler', 'true, false', {
    true: 'false',
    false: 'true',
  }),
  no_prepare: understood('pooled', 'the same the other way round', 'true, false'),
  ...all(
    'prepareThreshold statement_cache_size statement_cache_capacity prepared_statement_cache_size preparedStatementCacheQueries',
    ignored('a pooler that has no prepared statements is noticed'),
  ),
  ...all('supa workaround', ignored('a word of providers for their own clients')),
  options: understood(
    'tenant',
    'the name of a database for the proxy of a provider, and no settings',
    'endpoint=…, project=…, reference=…',
  ),

  schema: ignored('the tables live in `public`', 'public'),
  currentSchema: ignored('the tables live in `public`', 'public'),
  search_path: ignored('the tables live in `public`', 'public'),
  ...all('client_encoding encoding charset', ignored('it is UTF-8', 'UTF8, UTF-8, utf8, utf-8, auto')),

  application_name: understood('applicationName', 'what the server shows in `pg_stat_activity`'),
  ApplicationName: understood('applicationName', 'the same'),
  fallback_application_name: ignored('it is `workshop`'),

  connect_timeout: understood('connectSeconds', 'seconds for one host to let us in; 5 if left out or 0'),
  loginTimeout: understood('connectSeconds', 'the same'),
  ...all(
    'statement_timeout lock_timeout idle_in_transaction_session_timeout idle_session_timeout query_timeout command_timeout socket_timeout socketTimeout',
    ignored('limits are the program’s own, one for each kind of statement'),
  ),
  ...all(
    'keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout tcpKeepAlive keepAlive keep_alive',
    ignored('whether a connection still leads anywhere is looked at by the program'),
  ),
  ...all(
    'connection_limit pool_timeout pool_size pool max min max_pipeline idle_timeout idleTimeoutMillis connectionTimeoutMillis max_lifetime max_idle_connection_lifetime max_connection_lifetime single_use_connections pool_max_conns pool_min_conns pool_max_conn_lifetime pool_max_conn_idle_time pool_health_check_period',
    ignored('the pool is the program’s own'),
  ),

  ...all('service servicefile passfile', refused('put into the URL what the file says')),
  replication: refused('the program reads no replication stream'),
};

/** Why a value is not taken, without repeating it: it may be a secret that went to the wrong place. */
export function refusalOf(name: string, value: string): string | undefined {
  const parameter = Object.hasOwn(urlParameters, name) ? urlParameters[name] : undefined;
  if (parameter === undefined) return `its parameter ${name} is not known here: leave it out`;
  const { kind, note, takes } = parameter;
  if (kind === 'refused') return `its parameter ${name} is not taken: ${note}`;
  if (takes === undefined || takes.split(', ').some((each) => fits(each, value))) return undefined;
  return kind === 'ignored'
    ? `its parameter ${name} may only be ${takes}: ${note}`
    : `its parameter ${name} must be one of ${takes}`;
}

function fits(taken: string, value: string): boolean {
  return taken.endsWith('…')
    ? /^[\w.-]+$/.test(value.slice(taken.length - 1)) && value.startsWith(taken.slice(0, -1))
    : value === taken;
}
