/** URLs of Postgres: hosts of every kind, and what may stand behind the `?`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AddressError, parseAddress, shownAddress } from '../../../projections/database/address.ts';
import { urlParameters } from '../../../projections/database/urlParameters.ts';
import { ConfigError, readConfig } from '../../../src/config.ts';

const hostsOf = (url: string) => parseAddress(url).hosts;

function refusal(url: string): string {
  try {
    parseAddress(url);
    return '';
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return error.message;
  }
}

describe('[B10] an address', () => {
  it.each([
    ['postgres://one/db', [{ host: 'one', port: 5432 }]],
    [
      'postgresql://user@one:5433,other:5434/db',
      [
        { host: 'one', port: 5433 },
        { host: 'other', port: 5434 },
      ],
    ],
    [
      'postgres://one,other:6000/db?port=7000',
      [
        { host: 'one', port: 7000 },
        { host: 'other', port: 6000 },
      ],
    ],
    [
      'postgres:///db?host=one,other&port=1,2',
      [
        { host: 'one', port: 1 },
        { host: 'other', port: 2 },
      ],
    ],
    [
      'postgres://u:p@[::1]:5433,[2001:db8::7]/db',
      [
        { host: '::1', port: 5433 },
        { host: '2001:db8::7', port: 5432 },
      ],
    ],
    ['postgres://db%2Dserver.example/db', [{ host: 'db-server.example', port: 5432 }]],
    ['postgres://u@%2Fvar%2Frun%2Fpostgresql/db', [{ path: '/var/run/postgresql/.s.PGSQL.5432' }]],
    ['postgres://u@%2Fvar%2Frun%2Fpostgresql:6432/db', [{ path: '/var/run/postgresql/.s.PGSQL.6432' }]],
    ['postgres://u:p@/db?host=/cloudsql/one:two:three', [{ path: '/cloudsql/one:two:three/.s.PGSQL.5432' }]],
    ['postgres:///db?host=/tmp/.s.PGSQL.99', [{ path: '/tmp/.s.PGSQL.99' }]],
    ['postgres:///db', []],
  ])('%s leads to its hosts', (url, hosts) => {
    expect(hostsOf(url)).toEqual(hosts);
  });

  it('has user, password and database with any character in them', () => {
    expect(parseAddress('postgres://an%40user:p%3Aa%2Fs:s%25%40@h/d%C3%A4ta%2Fbase')).toMatchObject({
      ...{ user: 'an@user', password: 'p:a/s:s%@', database: 'däta/base' },
    });
    expect(parseAddress('postgres://a:b@h/c?user=d&password=e%26f&dbname=g')).toMatchObject({
      ...{ user: 'd', password: 'e&f', database: 'g' },
    });
  });

  it('is shown without a password, wherever that stands', () => {
    const shown = shownAddress(parseAddress('postgres://u:secret@[::1]:1,b:2/d?password=secret'));
    expect(shown).toBe('postgres://u@[::1]:1,b:2/d');
  });

  it.each([
    ['mysql://one/db', /must be a postgres:\/\/ URL/],
    ['postgres://u:sec#ret@one/db', /%23/],
    ['postgres://u:secret?ret@one/db', /%3F/],
    ['postgres://u:x?secret=ret@one/db', /%3F/],
    ['postgres://u:sec%ret@one/db', /%25/],
    ['postgres://u:secret@one:65536/db', /port/],
    ['postgres://u:secret@one:abc/db', /host/],
    ['postgres://u:secret@one,/db', /host/],
    ['postgres://u:secret@[::1/db', /host/],
    ['postgres://u:secret@one,other/db?port=1,2,3', /port/],
    ['postgres://u:secret@one/db?host=@abstract', /socket/],
    ['postgres://u:secret@one/db?sslrootcert=/no/such/file&sslmode=verify-full', /sslrootcert.*ENOENT/],
    ['postgres://u:secret@one/db?sslcert=/etc/passwd&sslmode=require', /sslkey/],
    ['postgres://u:secret@one/db?sslrootcert=system&sslmode=require', /verify-full/],
    ['postgres://u:secret@one/db?connect_timeout=soon', /connect_timeout/],
  ])('%s is refused in one line that repeats no secret', (url, why) => {
    const line = refusal(url);
    expect(line).toMatch(why);
    expect(line).not.toMatch(/\n|sec.?ret/);
  });

  it('is checked with the configuration, by the name of the variable', () => {
    for (const name of ['DATABASE_URL', 'MIGRATE_DATABASE_URL']) {
      const read = (url: string) => () => readConfig({ [name]: url });
      expect(read('postgres://user@one:5432,other:5432/db?target_session_attrs=read-write')).not.toThrow();
      expect(read('postgres://u@one/db?foo=bar')).toThrow(ConfigError);
      expect(read('postgres://u@one/db?foo=bar')).toThrow(
        new RegExp(`^${name}: its parameter foo is not known`),
      );
    }
  });

  it('with a password that anyone guesses is refused in production, also where it has several hosts', () => {
    const production = { NODE_ENV: 'production', AUTH_SECRET: 'kf83nfd9w3nfkd93kf9dj3kfd93jfkd93' };
    const read = (DATABASE_URL: string) => () => readConfig({ ...production, DATABASE_URL });
    expect(read('postgres://u:postgres@127.0.0.1:1,db.internal:2/d')).toThrow(/DATABASE_URL: has a password/);
    expect(read('postgres://u@127.0.0.1:1,[::1]:2/d')).not.toThrow();
    expect(read('postgres:///d?host=/var/run/postgresql')).not.toThrow();
    expect(read('postgres://u@db.internal/d?password=k3J9sdf')).not.toThrow();
  });
});

describe('[B11] a parameter of an address', () => {
  it.each([
    ['disable', undefined],
    ['allow', 'prefer'],
    ['prefer', 'prefer'],
    ['require', 'require'],
    ['no-verify', 'require'],
    ['verify-ca', 'verify-ca'],
    ['verify-full', 'verify-full'],
  ])('sslmode=%s is understood', (given, mode) => {
    expect(parseAddress(`postgres://h/d?sslmode=${given}`).tls?.mode).toBe(mode);
  });

  it('of TLS means what it means to libpq', () => {
    expect(parseAddress('postgres://h/d?sslmode=require&sslrootcert=/etc/passwd').tls).toMatchObject({
      ...{ mode: 'verify-ca', ca: '/etc/passwd' },
    });
    expect(parseAddress('postgres://h/d?sslrootcert=system').tls).toMatchObject({
      mode: 'verify-full',
      ca: undefined,
    });
    expect(parseAddress('postgres://h/d?ssl=true').tls?.mode).toBe('verify-full');
    expect(parseAddress('postgres://h/d?ssl=false').tls).toBeUndefined();
  });

  it('that others hand out is taken', () => {
    for (const query of [
      // As providers give them, and for other clients.
      'sslmode=require&channel_binding=prefer&options=endpoint%3Dep-one-1',
      'pgbouncer=true&connection_limit=1&pool_timeout=20&schema=public',
      'sslmode=no-verify&uselibpqcompat=true&supa=base-pooler.x',
      'application_name=mine&connect_timeout=10&target_session_attrs=primary&keepalives=1&keepalives_idle=30',
      'gssencmode=disable&statement_timeout=5000&prepareThreshold=0&targetServerType=primary',
    ])
      expect(refusal(`postgres://u:p@h/d?${query}`)).toBe('');
    expect(parseAddress('postgres://h/d?pgbouncer=true').isPooled).toBe(true);
    expect(parseAddress('postgres://h/d?prepare=false').isPooled).toBe(true);
    expect(parseAddress('postgres://h/d?application_name=mine&connect_timeout=7')).toMatchObject({
      ...{ applicationName: 'mine', connectMs: 7_000 },
    });
  });

  it.each([
    ['target_session_attrs', 'read-only'],
    ['target_session_attrs', 'standby'],
    ['target_session_attrs', 'prefer-standby'],
    ['channel_binding', 'require'],
    ['gssencmode', 'require'],
    ['sslmode', 'full'],
    ['options', '-c search_path=mine'],
    ['schema', 'mine'],
    ['client_encoding', 'LATIN1'],
    ['search_path', 'mine'],
    ['require_auth', 'scram-sha-256'],
    ['sslcrl', '/a/file'],
    ['service', 'mine'],
    ['TimeZone', 'CET'],
    ['__proto__', 'x'],
  ])('%s=%s would do nothing or something else, and is refused by its name', (name, value) => {
    const line = refusal(`postgres://h/d?${name}=${encodeURIComponent(value)}`);
    expect(line).toContain(`its parameter ${name} `);
    expect(line).not.toContain('\n');
  });

  it('is told of in the reference', () => {
    const reference = readFileSync('docs/reference/database-url.md', 'utf8');
    for (const name of Object.keys(urlParameters)) expect(reference).toContain(`| \`${name}\` `);
  });
});
