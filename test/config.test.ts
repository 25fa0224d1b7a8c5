/** The checks of the configuration, above all those of production: what is certainly weak does not start. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const strong = randomBytes(24).toString('base64');
const production = { NODE_ENV: 'production', AUTH_SECRET: strong };

/** The names of the settings that are refused, and the line that says so. */
function refusal(env: Record<string, string>): { names: string[]; line: string } {
  try {
    readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { names: error.message.match(/\b[A-Z]+(?:_[A-Z]+)+(?=:)/g) ?? [], line: error.message };
  }
  return { names: [], line: '' };
}

describe('in production', () => {
  it.each([
    'a secret of the tests, longer than thirty-two characters',
    'a secret of thirty-two characters',
    'change-me-change-me-change-me-0123456789',
    'your-super-secret-jwt-secret-0123456789',
    'output of openssl rand -base64 48',
  ])('[S15] the secret "%s" is refused', (secret) => {
    const { names, line } = refusal({ NODE_ENV: 'production', AUTH_SECRET: secret });
    expect(names).toEqual(['AUTH_SECRET']);
    expect(line).not.toContain(secret);
  });

  it.each([
    ['AUTH_SECRET', 'short'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://app.example.org,http://app.example.org'],
    ['PUBLIC_URL', 'http://workshops.example.org'],
    ['REDIS_URL', 'redis://10.0.0.7:6379'],
    ['REDIS_URL', 'rediss://redis.internal:6379'],
    ['REDIS_URL', 'redis://default:redis@redis.internal:6379'],
    ['DATABASE_URL', 'postgres://workshop@db.internal/workshop'],
    ['DATABASE_URL', 'postgres://postgres:postgres@db.internal/workshop'],
  ])('[S15] %s=%s is refused by its name, and never repeated', (name, value) => {
    const { names, line } = refusal({ ...production, [name]: value });
    expect(names.length > 0 ? names : line.split(/[:.]/, 1)).toEqual([name]);
    expect(line).not.toContain(value);
  });

  it.each([
    ['https://example.org', 'https://example.org', ''],
    ['https://example.org/', 'https://example.org', ''],
    ['https://example.org/our/rooms/?x=1', 'https://example.org/our/rooms', '/our/rooms'],
  ])('PUBLIC_URL=%s is %s, with the path "%s"', (given, url, basePath) => {
    expect(readConfig({ PUBLIC_URL: given })).toMatchObject({ PUBLIC_URL: url, basePath });
  });

  it('PUBLIC_URL with a path that could be more than a path is refused', () => {
    expect(() => readConfig({ PUBLIC_URL: `https://example.org/"onload='x'` })).toThrow('PUBLIC_URL');
  });

  it('[S15] keys that are fetched in the clear are refused', () => {
    const env = { NODE_ENV: 'production', AUTH_JWKS_URL: 'http://id.example.org/keys' };
    expect(refusal(env).names).toEqual(['AUTH_JWKS_URL']);
  });

  it('[S15] everything that is weak is named in one line', () => {
    const { names, line } = refusal({
      ...{
        NODE_ENV: 'production',
        AUTH_SECRET: 'change-me-before-production-0123456789',
        CORS_ORIGINS: 'http://app.example.org',
      },
      ...{
        PUBLIC_URL: 'http://rooms.example.org',
        REDIS_URL: 'redis://redis',
        DATABASE_URL: 'postgres://db/a',
      },
    });
    expect(names).toEqual(['AUTH_SECRET', 'PUBLIC_URL', 'CORS_ORIGINS', 'REDIS_URL', 'DATABASE_URL']);
    expect(line).not.toContain('\n');
  });

  it.each([
    {},
    { GUESTS: 'true' },
    { CORS_ORIGINS: 'http://localhost:3001,http://127.0.0.1:3002,https://app.example.org' },
    { PUBLIC_URL: 'http://localhost:3000' },
    { REDIS_URL: 'redis://127.0.0.1:6379', DATABASE_URL: 'postgres://postgres@127.0.0.1:5432/workshop' },
    { REDIS_URL: 'redis://localhost:6379/3', DATABASE_URL: 'postgres://workshop:workshop@[::1]/workshop' },
    { REDIS_URL: `redis://workshop:${strong.replaceAll('/', '%2F')}@redis.internal:6379` },
    { AUTH_SECRET: randomBytes(16).toString('hex') },
    { TRUST_NETWORK: 'true', REDIS_URL: 'redis://redis:6379', PUBLIC_URL: 'http://rooms.internal' },
  ])('takes what is not certainly weak: %o', (env) => {
    expect(refusal({ ...production, ...env } as Record<string, string>).line).toBe('');
  });

  it('needs a secret or keys, whatever else is given', () => {
    expect(refusal({ NODE_ENV: 'production' }).names).toEqual(['AUTH_SECRET']);
    expect(refusal({ NODE_ENV: 'production', TRUST_NETWORK: 'true' }).names).toEqual(['AUTH_SECRET']);
  });
});

it('takes what is weak everywhere else: a first try must not need a secret', () => {
  expect(refusal({ AUTH_SECRET: 'x'.repeat(32), REDIS_URL: 'redis://redis:6379' }).line).toBe('');
});

it.each([
  ['PORT', ' '],
  ['PORT', '0x50'],
  ['PORT', '65536'],
  ['RATE_LIMIT_SCALE', '1e1'],
  ['ARCHIVE_AFTER_MINUTES', 'soon'],
  ['MAX_LIVE_HOURS', '0'],
  ['REDIS_CLUSTER_NODES', ','],
  ['REDIS_CLUSTER_NODES', 'redis:99999'],
])('%s=%j is refused by its name', (name, value) => {
  expect(refusal({ [name]: value }).line).toMatch(new RegExp(`^${name}(\\.\\d)?: `));
});

it.each([
  ['ARCHIVE_AFTER_MINUTES', '0.5', 0.5],
  ['RATE_LIMIT_SCALE', '0', 0],
  ['PORT', '0', 0],
])('%s=%s is taken', (name, value, taken) => {
  expect(readConfig({ [name]: value })).toMatchObject({ [name]: taken });
});
