/** A fresh Next application with workshops in it, out of the example and the packages alone: installed, built, and served. */
import { execFile } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataFolder } from '../kit/dataFolder.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { type Application, install, root, written } from './application.ts';

export interface NextApplication {
  url: string;
  server: RunningProcess;
  /** Starts Python's receiver of webhooks on a port. */
  receive(secret: string, port: number): Promise<RunningProcess>;
  close(): Promise<void>;
}

const run = promisify(execFile);

/** Takes a minute or two: Next is large, and compiles. */
export async function nextApplication({ tarballs }: Pick<Application, 'tarballs'>): Promise<NextApplication> {
  const folder = temporaryFolder('next');
  const data = await dataFolder('next');
  const { path } = folder;
  cpSync(join(root, 'examples/next'), path, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  await install(path, { ...manifest, dependencies: { ...manifest.dependencies, ...tarballs } });
  const quiet = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
  // On every core that there is, but behind whatever else runs: tests beside it wait for milliseconds.
  await written(run('nice', ['-n', '19', 'npm', 'run', 'build'], { cwd: path, env: quiet }));
  const env = { DATA_DIR: data.path, PORT: '0', REDIS_URL: undefined, DATABASE_URL: undefined };
  const server = await startProcess({
    ...{ command: process.execPath, args: ['server.mjs'], cwd: path },
    env: { ...env, NODE_ENV: 'production', WEBHOOK_ALLOW_PRIVATE: 'true', NEXT_TELEMETRY_DISABLED: '1' },
  });
  const started: RunningProcess[] = [server];
  const [, port] = await server.waitFor(/listening on (\d+)/, 60_000);
  return {
    ...{ url: `http://localhost:${port}`, server },
    async receive(secret, at) {
      const receiver = await startProcess({
        ...{ command: 'python3', args: [join(root, 'examples/receive.py'), secret, String(at)] },
      });
      started.push(receiver);
      await receiver.waitFor(/listening on/);
      return receiver;
    },
    async close() {
      for (const each of started) await each.stop();
      await data.close();
      await folder.close();
    },
  };
}
