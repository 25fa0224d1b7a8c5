/** `workshop export <id>`: attendance, chat or events as a file or into a pipe; the same text as by REST. */
import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { readConfig } from '../config.ts';
import { exportFormats, exportKinds, exportText, refusalOf, type Wish } from '../history/exports.ts';
import { wireContextOf } from '../history/following.ts';
import type { WireContext } from '../protocol/wire.ts';
import { type CliCommand, CommandFailed, type Given, idOf, UsageError } from './command.ts';
import { progressBar } from './terminal.ts';

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
  takesArguments: true,
  async run(given) {
    const workshopId = idOf(given, 'workshop');
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
      let context: Promise<WireContext> | undefined;
      const source = {
        workshopId,
        now: reading.log.now(),
        pages: counted(history.pages(), (version) => bar.at(version / history.version)),
        // Attendance does without this pass over everything.
        context: () => {
          context ??= wireContextOf(history.pages());
          return context;
        },
      };
      const text = exportText(source, wish);
      if (file === undefined) return await toStdout(text);
      const bytes = await toFile(text, file);
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

async function toStdout(pieces: AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

/** Beside its place until it is whole; a file that was there is replaced then. Resolves with its length in bytes. */
async function toFile(pieces: AsyncIterable<string>, path: string): Promise<number> {
  const part = `${path}.${process.pid}.part`;
  const file = await open(part, 'wx').catch((cause: unknown) => {
    throw new CommandFailed(`${path} cannot be written: ${reasonOf(cause)}`);
  });
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      const buffer = Buffer.from(piece);
      await file.writeFile(buffer);
      bytes += buffer.length;
    }
    await file.close();
    await rename(part, path);
    return bytes;
  } catch (cause) {
    await file.close();
    await rm(part, { force: true });
    throw cause;
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
