/** Finding the workshops of a partition whose tables and log disagree, without folding anything. */

import { isPart } from '../src/log/log.ts';
import { arrayText } from './arrayText.ts';
import type { Database } from './database.ts';
import type { ProjectedLog } from './feed.ts';
import { isInLog } from './pages.ts';

/** Reads of the log that are under way at a time. */
const atOnce = 32;

/**
 * Workshops whose tables hold more than the log, or were put back to be folded anew. Where `deep`, also those that hold less
 * – which otherwise the feed brings – and those whose last events or epochs differ: the log lost some and got as many others,
 * or was given them back.
 */
export async function differing(
  database: Database,
  log: ProjectedLog,
  partition: number,
  deep: boolean,
): Promise<number[]> {
  const open = await log.open(partition);
  const rows = await database.query(
    `select w.id, w.version, w.epoch, e.event_id from workshops w
     left join workshop_events e on e.workshop_id = w.id and e.version = w.version
     where w.id = any($1::text::bigint[]) or w.version = 0`,
    [arrayText([...open.keys()])],
  );
  const different: number[] = [];
  const alike: (() => Promise<void>)[] = [];
  const folded = new Set<number>();
  for (const row of rows) {
    const [id, version] = [Number(row.id), Number(row.version)];
    folded.add(id);
    const inLog = open.get(id) ?? 0;
    // Put back and not folded again: it was interrupted. Also what the log let go of is folded then.
    if (version === 0 ? log.partitionOf(id) === partition : inLog < version) different.push(id);
    else if (deep && inLog > version) different.push(id);
    else if (deep && inLog === version)
      alike.push(async () => {
        const isSame = await isInLog(log, id, { version, eventId: String(row.event_id) });
        const head = await log.head(id);
        // Put back by a node: all is there, under an epoch that the tables do not know.
        if (!isSame || (head !== null && !isPart(head, String(row.epoch), version))) different.push(id);
      });
  }
  if (deep) different.push(...[...open.keys()].filter((id) => !folded.has(id)));
  while (alike.length > 0) await Promise.all(alike.splice(0, atOnce).map((compare) => compare()));
  return different;
}

/** Every workshop of a partition that the log or any table has. */
export async function known(database: Database, log: ProjectedLog, partition: number): Promise<Set<number>> {
  const rows = await database.query(
    'select id from workshops union select distinct workshop_id from workshop_events',
    [],
  );
  const ids = rows.map((row) => Number(row.id)).filter((id) => log.partitionOf(id) === partition);
  return new Set([...ids, ...(await log.open(partition)).keys()]);
}
