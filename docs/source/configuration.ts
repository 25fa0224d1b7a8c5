/**
 * `docs/reference/configuration.md`: the variables of `.env.example` with its words, and the values that the program takes,
 * found by handing `src/config.ts` what no variable can be.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, readConfig } from '../../src/config.ts';
import { code, heading, page, table } from './markdown.ts';

export interface Variable {
  name: string;
  section: string;
  text: string;
  /** As `.env.example` shows it. */
  shown: string;
}

/** Used by docker-compose.yml alone. */
export const composeOnly: readonly string[] = [
  ...['REDIS_PROJECTOR_PASSWORD', 'REDIS_ANALYST_PASSWORD'],
  ...[
    'POSTGRES_PASSWORD',
    'POSTGRES_MIGRATOR_PASSWORD',
    'POSTGRES_APP_PASSWORD',
    'POSTGRES_ANALYST_PASSWORD',
  ],
];

/** The variables of an `.env` file, each with the comment above it. */
export function variablesOf(text: string): Variable[] {
  const found: Variable[] = [];
  let section = '';
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const [, title] = /^# --- (.*) ---$/.exec(line) ?? [];
    const [, name, shown] = /^#?([A-Z][A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (title !== undefined) section = title;
    else if (name !== undefined) found.push({ name, section, text: comment.join(' '), shown: shown ?? '' });
    else if (line.startsWith('# ')) {
      comment.push(line.slice(2));
      continue;
    }
    comment = [];
  }
  return found;
}

export function configurationPage(root: string): string {
  const variables = variablesOf(readFileSync(join(root, '.env.example'), 'utf8'));
  const sections = [...new Set(variables.map(({ section }) => section))];
  return page(
    heading('Configuration', '`.env.example`, `src/config.ts` and `projections/database/urlParameters.ts`'),
    introduction,
    ...sections.map(
      (section) =>
        `## ${section.charAt(0).toUpperCase()}${section.slice(1)}\n\n${table(
          ['variable', 'meaning', 'values', 'default'],
          variables.filter((variable) => variable.section === section).map(row),
        )}`,
    ),
    rules,
  );
}

function row({ name, text }: Variable): string[] {
  const [meaning = '', told] = text.split(/ Default: /);
  const given = defaults[name];
  const fallback = Array.isArray(given) ? given.join(',') : given;
  const shown = fallback === undefined || fallback === '' ? '' : code(String(fallback));
  return [code(name), meaning, valuesOf(name), shown || (told ?? 'unset').replace(/\.$/, '')];
}

const defaults: Record<string, unknown> = { ...readConfig({}) };

/** What the program says of values that it does not take. */
function valuesOf(name: string): string {
  if (composeOnly.includes(name)) return 'used by `docker-compose.yml` alone';
  const [strange, low, high] = [
    complaint(name, '?'),
    complaint(name, '-1'),
    complaint(name, '999999999999999'),
  ];
  const options = /expected one of (.*)$/.exec(strange)?.[1];
  if (options !== undefined)
    return options
      .split('|')
      .map((each) => code(each.slice(1, -1)))
      .join(', ');
  const [, kind, least = ''] = /to be >(=?)(-?[\d.]+)/.exec(low) ?? [];
  const [, most] = /to be <=([\d.]+)/.exec(high) ?? [];
  if (most !== undefined)
    return `${kind === '' ? `above ${least}` : least} to ${Number(most).toLocaleString('en')}`;
  return strange.replace(/^Invalid URL$/, 'a URL').replace(/^must (be|have) /, '') || 'text';
}

function complaint(name: string, value: string): string {
  try {
    readConfig({ [name]: value });
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { message } = error;
    return message.startsWith(name) ? message.replace(/^[A-Z_]+(\.\d+)*: /, '') : '';
  }
}

const introduction = `
Settings come from the environment. They are read and checked once, at start; a bad value ends the process with one line that
names it. A variable that is set to nothing counts as unset. \`NODE_ENV=production\` makes the checks of production strict (below).`;

const rules = `
## What goes together

- What \`DATABASE_URL\` may say is told in [database-url.md](database-url.md).
- Neither \`REDIS_URL\` (or \`REDIS_CLUSTER_NODES\`, or \`REDIS_SENTINELS\`) nor \`DATABASE_URL\`: embedded mode, one process, everything in \`DATA_DIR\`.
- \`REDIS_URL\`, \`REDIS_CLUSTER_NODES\` and \`REDIS_SENTINELS\` exclude each other, as do \`AUTH_SECRET\` and \`AUTH_JWKS_URL\`.
- \`ROLE=gateway\` and \`ROLE=projector\` need Redis and Postgres.
- \`GUESTS=true\` needs \`AUTH_SECRET\` (or the secret of embedded mode): with \`AUTH_JWKS_URL\` nobody here could sign for a guest.
- Where neither \`AUTH_SECRET\` nor \`AUTH_JWKS_URL\` is given, a secret is made once and kept in \`DATA_DIR\`. In production this
  is refused.
- In production the process also refuses a Redis that may evict keys, and one without an append-only file unless
  \`ALLOW_VOLATILE_LOG=true\`.
- In production an \`AUTH_SECRET\` that is a known sample is refused. So are, unless
  \`TRUST_NETWORK=true\`, \`http:\` addresses in \`PUBLIC_URL\`, \`AUTH_JWKS_URL\` and \`CORS_ORIGINS\`, and a \`REDIS_URL\` or
  \`DATABASE_URL\` whose password is missing or well known, each on another host than this one. One line names all of them
  and none of their values.`;
