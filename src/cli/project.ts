/** `workshop project`: a projector alone, with the operators' routes. */
import { pino } from 'pino';
import { ConfigError, readConfig } from '../config.ts';
import { type CliCommand, UsageError } from './command.ts';
import { surviveMishaps } from './mishaps.ts';
import { untilTold } from './signals.ts';

export const project: CliCommand = {
  name: 'project',
  summary: 'Folds the log into the database, beside other projectors; serves /healthz, /readyz and /metrics.',
  usage: 'workshop project [--json]',
  help: {},
  options: {},
  async run({ values, arguments: words }) {
    if (words.length > 0) throw new UsageError('project takes no arguments');
    const config = readConfig();
    if (config.embedded)
      throw new ConfigError(
        'REDIS_URL: in embedded mode the serving process projects by itself; give REDIS_URL and DATABASE_URL',
      );
    const logger = pino({ level: config.LOG_LEVEL }, pino.destination({ dest: 2, sync: false }));
    surviveMishaps(logger);
    const { startServer } = await import('../server.ts');
    const server = await startServer({ ...config, ROLE: 'projector' }, logger);
    const { about } = server;
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify(about)}\n`
        : `projecting ${about.log} into ${about.database}; ${about.url}/metrics\n`,
    );
    await untilTold(logger, () => server.close());
  },
};
