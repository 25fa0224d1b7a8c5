/** `workshop export <id>`: attendance, chat or events as a file or into a pipe; the same text as by REST. */
import { readConfig } from '../config.ts';
import { exportFormats, exportKinds, exportText, refusalOf, type Wish } from '../history/exports.ts';
import { type Known, knownOf } from '../history/known.ts';
import { type CliCommand, type Given, UsageError, workshopIdOf } from './command.ts';
import { intoFile, intoStdout } from './outlet.ts';
import { progressBar } from './progress.ts';

export const exportCommand: CliCommand = {
  name: 'export',
  summary: 'Writes attendance, chat or events of a workshop, as a file or to stdout.',
  usage:
    'workshop export <id> --what attendance|chat|events [--format csv|ndjson|vtt] [--intervals] [--raw] [--out <file>] [--json]',
  help: {
    '--what': 'attendance, chat or events',
    '--format': 'csv (if left out), ndjson, or of chat alone vtt',
    '--intervals': 'of attendance: every stay instead of one line a person',
    '--raw': 'of csv: texts as they are, also where a spreadsheet would take them for formulas',
    '--out':
      'the file to write, put in place once it is whole; stdout if left out. With --json its summary is printed',
  },
  options: {
    what: { type: 'string' },
    format: { type: 'string' },
    intervals: { type: 'boolean' },
    raw: { type: 'boolean' },
    out: { type: 'string' },
  },
  async run(given) {
    const workshopId = workshopIdOf(given);
    const { values } = given;
    const wish = wishOf(given);
    const file = typeof values.out === 'string' ? values.out : undefined;
    const config = readConfig();
    // Loaded when they are needed: what is wrong usage is told at once.
    const { openForReading, openedHistory } = await import('./reading.ts');
    const reading = await openForReading(config);
    // Not between the lines of a text that is read at the same terminal.
    const shown = values.json !== true && (file !== undefined || !process.stdout.isTTY);
    const bar = progressBar({ shown, what: 'exported' });
    try {
      const history = await openedHistory(reading, workshopId);
      let known: Promise<Known> | undefined;
      const source = {
        workshopId,
        now: reading.log.now(),
        pages: counted(history.pages(), (version) => bar.at(version / history.version)),
        // Attendance does without this pass over everything.
        known: () => {
          known ??= knownOf(history.pages());
          return known;
        },
      };
      const text = exportText(source, wish);
      if (file === undefined) return await intoStdout(text);
      const bytes = await intoFile(text, file);
      bar.close();
      const { version } = history;
      if (values.json === true)
        process.stdout.write(`${JSON.stringify({ workshopId, ...wish, version, file, bytes })}\n`);
      else process.stdout.write(`${file}: ${bytes} bytes, up to version ${version}\n`);
    } finally {
      bar.close();
      await reading.close();
    }
  },
};

function wishOf({ values }: Given): Wish {
  const what = exportKinds.find((kind) => kind === values.what);
  if (what === undefined) throw new UsageError(`--what has to be one of ${exportKinds.join(', ')}`);
  // What is printed for programs is lines of JSON.
  const usual = values.json === true && values.out === undefined ? 'ndjson' : 'csv';
  const asked = values.format ?? usual;
  const format = exportFormats.find((name) => name === asked);
  if (format === undefined) throw new UsageError(`--format has to be one of ${exportFormats.join(', ')}`);
  const wish = { what, format, raw: values.raw === true, intervals: values.intervals === true };
  const refusal = refusalOf(wish);
  if (refusal !== undefined) throw new UsageError(`--${refusal}`);
  return wish;
}

async function* counted<T extends { version: number }>(
  pages: AsyncIterable<T[]>,
  read: (version: number) => void,
): AsyncGenerator<T[]> {
  for await (const page of pages) {
    yield page;
    read(page.at(-1)?.version ?? 0);
  }
}
