/**
 * What was settled when the log in this Redis was begun, read at every start: how many partitions it has, and the number of its
 * layout – which keys there are, what they hold, and how entries are written (`keys.ts`, `decode.ts`).
 *
 * The number stays where something is added that older programs pass over: a field of a stream's entry, of a described entry of a
 * feed, of a hash. Any other change takes two versions of the program, so that nodes can be restarted one after the other. The
 * first reads the new layout beside the old one and still writes that (`newest` goes up, `written` stays). The second writes the
 * new one (`written` goes up), and puts the number into the store before. From then on a program that knows neither is refused
 * at its start, and those that run are of the first version.
 */
import { z } from 'zod';
import { type Forms, requireReadable } from '../formats.ts';
import { globalKeys } from './keys.ts';
import type { ScriptedConnection } from './scripts.ts';

const layouts: Forms = { word: 'layout', written: 1, oldest: 1, newest: 1 };

export interface Settings {
  partitions: number;
}

/**
 * Begins the log where there is none, with the given settings. Rejects with an Error of one line, and nothing is changed, where
 * this version of the program does not read the layout that it has.
 */
export async function openSettings(
  redis: ScriptedConnection,
  fresh: Settings,
  known: Forms = layouts,
): Promise<Settings> {
  const reply = await redis.wsSettings(globalKeys.settings, fresh.partitions, known.written);
  const [partitions, layout] = settingsReply.parse(reply);
  requireReadable('the event log in Redis', layout, known);
  if (partitions === '') throw new Error('the event log in Redis has lost the number of its partitions');
  return { partitions: Number(partitions) };
}

const settingsReply = z.tuple([z.string(), z.string()]);
