/** How Postgres goes about switching over, where it takes the tables of a rebuild for empty: a vacuum between two rebuilds leaves it so. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { switchAnswer, switchStatements } from '../../../projections/rebuild/switch.ts';
import { migratedPostgres } from '../../kit/shared.ts';

const rows = 20_000;
let sql: postgres.Sql;
beforeAll(async () => {
  sql = postgres(await migratedPostgres(), { max: 1, onnotice: () => undefined });
});
afterAll(() => sql.end());

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

it('[G3] what a partition is switched over with is looked up by its key, and never compared row by row with the rest', async () => {
  for (const chunk of ['', '1, '])
    await sql.unsafe(`
      insert into workshop_chat_messages${chunk && '_next'} (${chunk && 'chunk, '}workshop_id, id, user_id, display_name, message, offset_ms, created_at)
      select ${chunk} 1, n, 2, 'Ada', 'hello', n, now() from generate_series(1, ${rows}) n`);
  await sql.unsafe('vacuum');
  await sql`update pg_class set reltuples = 0 where relname like '%\\_next'`;
  const [explained] = await sql.unsafe(
    `explain (format json) with mine as (select 0 as partition), ${switchStatements} ${switchAnswer}`
      .replaceAll('$1::text', `'{1}'::text`)
      .replaceAll('$2::bigint', '1::bigint'),
  );
  const nodes = nodesOf(explained?.['QUERY PLAN'][0].Plan);
  const read = (type: string) =>
    nodes.filter(
      (node) => node['Node Type'] === type && node['Relation Name'] === 'workshop_chat_messages_next',
    );
  expect(read('Seq Scan')).toEqual([]);
  expect(nodes.filter((node) => node['Node Type'] === 'Materialize')).toEqual([]);
  expect([...read('Index Scan'), ...read('Index Only Scan'), ...read('Bitmap Heap Scan')]).not.toEqual([]);
});
