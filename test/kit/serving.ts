/** `workshop serve` as a process of its own, with all that it wrote: for tests that ask whether it lives and what it logs. */
import { dataFolder } from './dataFolder.ts';
import { temporaryFolder } from './folder.ts';
import { type RunningProcess, startProcess } from './process.ts';
import { program } from './program.ts';
import { type Json, secret, token } from './server.ts';

export interface Serving {
  url: string;
  process: RunningProcess;
  /** Every line of its log, each of which has to be JSON. */
  logged(): Json[];
  rest(user: number, method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }>;
  close(): Promise<void>;
}

/** With no settings it is embedded. */
export async function serving(settings: Record<string, string> = {}): Promise<Serving> {
  const folder = await (settings.DATABASE_URL === undefined ? dataFolder : temporaryFolder)('serving');
  const server = await startProcess({
    command: process.execPath,
    args: [program, 'serve', '--json'],
    env: {
      ...{ NODE_ENV: 'test', PORT: '0', AUTH_SECRET: secret, DATA_DIR: folder.path, GUESTS: 'true' },
      ...{ RATE_LIMIT_SCALE: '0', LOG_LEVEL: 'info', REDIS_URL: undefined, DATABASE_URL: undefined },
      ...settings,
    },
  });
  const [, url = ''] = await server.waitFor(/"url":"([^"]+)"/, 40_000);
  return {
    url,
    process: server,
    logged: () =>
      server
        .output()
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{"url"'))
        .map((line) => JSON.parse(line)),
    async rest(user, method, path, body) {
      const answer = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${await token({ id: user })}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    },
    async close() {
      await server.stop();
      await folder.close();
    },
  };
}
