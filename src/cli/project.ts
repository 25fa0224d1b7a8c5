/** `workshop project`: a projector alone, with the operators' routes. */
import { pino } from 'pino';
import { ConfigError, readConfig } from '../config.ts';
import type { CliCommand } from './command.ts';
import { handleUncaught, untilShutdown } from './shutdown.ts';

export const project: CliCommand = {
  name: 'project',
  summary: 'Folds the log into the database, beside other projectors; serves /healthz, /readyz and /metrics.',
  usage: 'workshop project [--json]',
  help: {},
  options: {},
  async run({ values }) {
    const config = readConfig();
    if (config.embedded)
      throw new ConfigError(
        'REDIS_URL: in embedded mode the serving process projects by itself; give REDIS_URL and DATABASE_URL',
      );
    const logger = pino({ level: config.LOG_LEVEL }, pino.destination({ dest: 2, sync: false }));
    handleUncaught(logger);
    const { startServer } = await import('../server.ts');
    const server = await startServer({ ...config, ROLE: 'projector' }, logger);
    const { about } = server;
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify(about)}\n`
        : `projecting ${about.log} into ${about.database}; ${about.url}/metrics\n`,
    );
    await untilShutdown(logger, () => server.close());
  },
};
