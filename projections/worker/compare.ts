/** Finding the workshops of a partition whose tables and log disagree, without folding anything. */

import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { isPart } from '../../src/log/log.ts';
import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { inPartition } from '../database/partition.ts';
import { unreadableId } from '../events/projection.ts';
import { storedEvents } from '../events/queries.ts';
import type { ProjectedLog } from '../fold/source.ts';

/** Workshops that are compared at a time, event by event. */
const atOnce = 64;

/**
 * Workshops whose tables hold more than the log, or were put back to be folded from the first event on. Where `deep`, also those that hold less
 * – which otherwise the feed brings – and those whose last events or epochs differ: the log lost some and got as many others,
 * or was given them back.
 */
export async function differing(
  database: Database,
  log: ProjectedLog,
  partition: number,
  deep: boolean,
): Promise<number[]> {
  const open = await log.streams.open(partition);
  const rows = await database.query(
    `select w.id, w.version, w.epoch from workshops w where ${inPartition('w.id', log, partition)}
       and (w.version = 0 or w.id = any($1::text::bigint[]))`,
    [arrayText([...open.keys()])],
  );
  const different: number[] = [];
  const alike: { id: number; version: number; epoch: string }[] = [];
  const folded = new Set<number>();
  for (const row of rows) {
    const [id, version] = [Number(row.id), Number(row.version)];
    folded.add(id);
    const inLog = open.get(id);
    // Put back and not folded again: it was interrupted. Also what the log let go of is folded then.
    if (version === 0) different.push(id);
    else if (inLog === undefined) continue;
    else if (inLog < version) different.push(id);
    else if (deep && inLog > version) different.push(id);
    else if (deep) alike.push({ id, version, epoch: String(row.epoch) });
  }
  if (deep) different.push(...[...open.keys()].filter((id) => !folded.has(id)));
  while (alike.length > 0) different.push(...(await unlike(database, log, alike.splice(0, atOnce))));
  return different;
}

/** Those whose last event, or epoch, is another one in the log than in the tables. */
async function unlike(
  database: Database,
  log: ProjectedLog,
  folded: readonly { id: number; version: number; epoch: string }[],
): Promise<number[]> {
  const rows = await database.query(
    `select e.workshop_id, e.event_id from workshop_events e
     join unnest($1::text::bigint[], $2::text::bigint[]) as w(id, version)
       on e.workshop_id = w.id and e.version = w.version`,
    [arrayText(folded.map(({ id }) => id)), arrayText(folded.map(({ version }) => version))],
  );
  const lastIds = new Map(rows.map((row) => [Number(row.workshop_id), String(row.event_id)]));
  const compared = folded.map(async ({ id, version, epoch }) => {
    const isSame = await isInLog(log, id, { version, eventId: lastIds.get(id) ?? '' });
    const head = await log.events.head(id);
    // Put back by a node: all is there, under an epoch that the tables do not know.
    return isSame && (head === null || isPart(head, epoch, version)) ? [] : [id];
  });
  return (await Promise.all(compared)).flat();
}

/** Whether the log has that very event at that version. */
export async function isInLog(
  log: Pick<ProjectedLog, 'events'>,
  workshopId: number,
  { version, eventId }: Pick<RecordedEvent, 'version' | 'eventId'>,
): Promise<boolean> {
  try {
    const [event] = await log.events.read(workshopId, version - 1, 1);
    return event?.version === version && event.eventId === eventId;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return eventId === unreadableId(version);
  }
}

/** The highest version, up to `highest`, up to which the log and the tables have the same events. */
export async function lastCommon(
  database: Database,
  log: Pick<ProjectedLog, 'events'>,
  workshopId: number,
  highest: number,
): Promise<number> {
  const stored = storedEvents(database);
  let [same, other] = [0, highest + 1];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    const [event] = await stored.read(workshopId, middle - 1, 1);
    if (event !== undefined && (await isInLog(log, workshopId, event))) same = middle;
    else other = middle;
  }
  return same;
}
