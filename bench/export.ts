/** Exporting a large workshop from an embedded log, beside reading it and turning its events into JSON with nothing else. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { v7 } from 'uuid';
import type { RecordedEvent } from '../src/domain/evolve.ts';
import { exportText, type Wish } from '../src/history/exports.ts';
import { wireContextOf } from '../src/history/following.ts';
import { type OpenHistory, workshopHistory } from '../src/history/history.ts';
import { timeline } from '../src/history/timeline.ts';
import { embeddedLog } from '../src/log/embedded/log.ts';
import type { EventLog } from '../src/log/log.ts';
import { temporaryFolder } from '../test/kit/folder.ts';
import { workshop } from './fold.ts';
import type { Figure } from './measure.ts';

const count = 1_000_000;
const workshopId = 1;
const perAppend = 500;

const kinds: readonly Pick<Wish, 'what' | 'format'>[] = [
  { what: 'events', format: 'ndjson' },
  { what: 'events', format: 'csv' },
  { what: 'chat', format: 'csv' },
  { what: 'chat', format: 'vtt' },
  { what: 'attendance', format: 'csv' },
];

export async function exporting(rounds: number): Promise<Figure[]> {
  const folder = temporaryFolder('bench-export');
  const log = await embeddedLog({ path: `${folder.path}/log` });
  const bare: Figure = { name: 'read and JSON.stringify', unit: 'MB/s', values: [] };
  const figures: Figure[] = [bare];
  const figure = (name: string, unit: string, value: number, beside?: string) => {
    const found = figures.find((each) => each.name === name);
    if (found !== undefined) found.values.push(value);
    else figures.push({ name, unit, values: [value], ...(beside !== undefined && { beside }) });
  };
  try {
    await fill(log, workshop(count));
    const history = await workshopHistory(log.events).open(workshopId);
    if (history === undefined) throw new Error('the log is empty');
    const context = await wireContextOf(history.pages());
    for (let round = 0; round < rounds; round++) {
      bare.values.push((await measured(stringified(history))).speed);
      for (const kind of kinds) {
        const source = {
          workshopId,
          pages: history.pages(0, 500),
          now: log.now(),
          context: async () => context,
        };
        const { speed, seconds, peak } = await measured(
          exportText(source, { ...kind, raw: false, intervals: false }),
        );
        const name = `${kind.what} as ${kind.format}`;
        if (kind.what === 'attendance') figure(name, 'events/s', count / seconds);
        else figure(name, 'MB/s', speed, bare.name);
        figure(`${name}: held above the beginning, at most`, 'MB', peak);
      }
      const began = performance.now();
      const options = { workshopId, bucketMs: 60_000, now: log.now(), deleted: context.deleted };
      await timeline(history.pages(0, 500), options);
      figure('timeline', 'events/s', count / ((performance.now() - began) / 1_000));
    }
  } finally {
    await log.close();
    await folder.close();
  }
  return figures;
}

/** Bytes between two looks at the heap. */
const lookEvery = 32e6;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held, without garbage: how much of that there is says more about the machine's memory than about the export. */
function heldMB(): number {
  collect();
  return process.memoryUsage().heapUsed / 1e6;
}

async function measured(pieces: AsyncIterable<string>) {
  const before = heldMB();
  const began = performance.now();
  let [bytes, peak, looked, looking] = [0, 0, 0, 0];
  for await (const piece of pieces) {
    bytes += Buffer.byteLength(piece);
    if (bytes - looked < lookEvery) continue;
    const since = performance.now();
    looked = bytes;
    peak = Math.max(peak, heldMB() - before);
    looking += performance.now() - since;
  }
  const seconds = (performance.now() - began - looking) / 1_000;
  return { speed: bytes / 1e6 / seconds, seconds, peak };
}

async function* stringified(history: OpenHistory): AsyncGenerator<string> {
  for await (const page of history.pages(0, 500))
    yield page.map((event) => `${JSON.stringify(event)}\n`).join('');
}

async function fill(log: EventLog, events: RecordedEvent[]): Promise<void> {
  for (let base = 0; base < events.length; base += perAppend) {
    const drafts = events.slice(base, base + perAppend).map(({ eventId, type, schema, data }) => ({
      ...{ eventId, type, schema, data: JSON.stringify(data), marks: [] },
    }));
    const command = { by: 1, commandId: v7(), fingerprint: '', remember: false, reads: [], events: drafts };
    const deadline = log.now() + 60_000;
    const answer = await log.events.append({
      workshopId,
      base,
      deadline,
      node: 'bench',
      commands: [command],
    });
    if (answer.kind !== 'appended') throw new Error(`not appended but ${answer.kind}`);
  }
}
