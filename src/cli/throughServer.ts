/** The operations of the server that serves a data folder, asked over its routes for operators. */
import { z } from 'zod';
import type { ErasureProgress } from '../../projections/erasing/request.ts';
import { reported } from '../../projections/verify/findings.ts';
import type { ProjectionStatus } from '../../projections/worker/status.ts';
import type { RunningServer } from '../dataFolder.ts';
import { replayReport } from '../history/checkReplay.ts';
import { operatorKeyHeader } from '../identity/operatorKey.ts';
import { causeOf } from '../protocol/errors.ts';
import { CommandFailed } from './command.ts';
import { type Operations, watchErasure, watchRebuild } from './operations.ts';

const refusal = z.object({ error: z.object({ message: z.string() }) });

export function throughServer({ url, key }: RunningServer): Operations {
  async function answered(method: string, path: string, body?: unknown): Promise<Response> {
    const answer = await fetch(new URL(`/api/admin/${path}`, url), {
      method,
      headers: { [operatorKeyHeader]: key, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CommandFailed(`the server at ${url} cannot be reached: ${causeOf(error)}`);
    });
    if (answer.ok) return answer;
    const refused = refusal.safeParse(await answer.json().catch(() => undefined));
    throw new CommandFailed(refused.data?.error.message ?? `the server at ${url} answered ${answer.status}`);
  }

  async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await answered(method, path, body)).json() as T; // what this very program's routes answer
  }

  /** What a route tells line by line, and ends with a summary unless there is nothing to tell. */
  async function* lines<T extends { kind: string }>(path: string, schema: z.ZodType<T>): AsyncGenerator<T> {
    const { body } = await answered('GET', path);
    try {
      let isSummed = false;
      let isEmpty = true;
      for await (const line of body === null ? [] : parsedLines(body)) {
        const each = schema.parse(line);
        isSummed ||= each.kind === 'summary';
        isEmpty = false;
        yield each;
      }
      if (!isSummed && !isEmpty) throw new Error('it ended in the middle');
    } catch (error) {
      throw new CommandFailed(`the server at ${url} broke off: ${causeOf(error)}`);
    }
  }

  async function status(): Promise<ProjectionStatus> {
    const { projections } = await ask<{ projections: ProjectionStatus | null }>('GET', 'status');
    if (projections === null) throw new CommandFailed('the database of the server is away');
    return projections;
  }

  return {
    status,
    retry: (workshopId) => ask('POST', `parked/${workshopId}/retry`),
    skip: ({ workshopId, version }) => ask('POST', `parked/${workshopId}/skip`, { version }),
    async rebuild(onProgress) {
      const answer = await ask<{ partitions: number }>('POST', 'projections/rebuild');
      await watchRebuild(status, onProgress);
      return answer;
    },
    verify: (workshopId) =>
      lines(`verify${workshopId === undefined ? '' : `?workshopId=${workshopId}`}`, reported),
    checkReplay: () => lines('check-replay', replayReport),
    erase: ({ userId }, onProgress) =>
      watchErasure({
        progress: () => ask<ErasureProgress>('GET', `erasures/${userId}`),
        request: () => ask('POST', `erasures/${userId}`),
        onProgress,
      }),
    async adopt() {
      throw new CommandFailed(`the server at ${url} has the database open, as its log's own: end it first`);
    },
    close: async () => undefined,
  };
}

/** Lines of JSON as they arrive, one value to a line. */
async function* parsedLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
  if (rest !== '') yield JSON.parse(rest);
}
