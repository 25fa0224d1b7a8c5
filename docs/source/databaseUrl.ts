/** `docs/reference/database-url.md`: what the program takes behind the `?` of a Postgres URL, by the table that it reads them by. */
import { urlParameters } from '../../projections/database/urlParameters.ts';
import { code, heading, page, table } from './markdown.ts';

export function databaseUrlPage(): string {
  return page(
    heading('What `DATABASE_URL` may say', '`projections/database/urlParameters.ts`'),
    introduction,
    table(
      ['parameter', 'values', '', 'meaning'],
      Object.entries(urlParameters).map(([name, { kind, note, takes }]) => {
        const values = takes === undefined ? 'any' : takes.split(', ').map(code).join(', ');
        return [code(name), kind === 'refused' ? 'none' : values, kind, note];
      }),
    ),
  );
}

const introduction = `
\`postgres://user:password@host:port/database\`, and the same in \`MIGRATE_DATABASE_URL\`. Any character of these may be
percent-encoded, and \`/ ? # @ % :\` in them must be. There may be several hosts with ports, separated by commas
(\`postgres://user@one:5432,other:5432/workshop\`): they are tried in order, and the first that takes writes is used. An IPv6
address is written \`[::1]\`, the folder of a Unix socket \`%2Fvar%2Frun%2Fpostgresql\` or \`?host=/var/run/postgresql\`.

Behind a \`?\` may stand what other clients know too. What is ignored may stay where a provider has put it. A value that is not in
the table, what is refused, and every other name end the process at start with a line that names it. None of it is sent to the server
as a setting.`;
