/** `workshop serve` as a process of its own. */
import { type RunningProcess, startProcess } from './process.ts';
import { program } from './program.ts';
import { secret } from './server.ts';

export interface NodeProcess extends RunningProcess {
  url: string;
}

export async function startNode(settings: Record<string, string>): Promise<NodeProcess> {
  const started = await startProcess({
    command: process.execPath,
    args: [program, 'serve', '--json'],
    env: { PORT: '0', AUTH_SECRET: secret, LOG_LEVEL: 'warn', RATE_LIMIT_SCALE: '0', ...settings },
  });
  const [line] = await started.waitFor(/\{"url".*\}/, 60_000);
  return { ...started, url: JSON.parse(line).url };
}
