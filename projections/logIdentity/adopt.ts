/** Making a database the one of this log, on purpose, whoever's it was. */
import { randomUUID } from 'node:crypto';
import { projectionName } from '../checkpoints/schema.ts';
import { knownBy, type Meeting, runLeaseMs } from './recognize.ts';

export interface Adoption {
  identity: string;
  /** Of the log that the database belonged to; null where it belonged to none. */
  before: string | null;
  changed: boolean;
}

/** Whoever uses the database with another log, or another copy of this one, is refused from then on. */
export async function adopt({ log, database }: Meeting): Promise<Adoption> {
  const known = await knownBy(database);
  let found = await log.identity.read();
  const isCopy = found.identity === known?.identity && found.run !== known?.run && known?.isInUse === true;
  // Of two with one identity this one gets another.
  if (found.identity === null || isCopy) found = await log.identity.change(randomUUID());
  const identity = String(found.identity);
  await database.query(
    `insert into projection_log (projection, identity, run, run_until, taken_at)
     values ('${projectionName}', $1::text, $2::text, now() + $3::bigint * interval '1 millisecond', now())
     on conflict (projection) do update set identity = excluded.identity, run = excluded.run,
       run_until = excluded.run_until, taken_at = excluded.taken_at
     where projection_log.identity <> excluded.identity`,
    [identity, found.run, runLeaseMs],
  );
  return { identity, before: known?.identity ?? null, changed: known?.identity !== identity };
}
