/** `workshop serve`: one node, or with nothing configured the whole product in one process. */
import { pino } from 'pino';
import { readConfig } from '../config.ts';
import type { RunningServer } from '../server.ts';
import type { CliCommand } from './command.ts';
import { handleUncaught, untilShutdown } from './shutdown.ts';

export const serve: CliCommand = {
  name: 'serve',
  summary: 'Serves workshops: sockets, REST, the page; with ROLE=all also the projector.',
  usage: 'workshop serve [--json]',
  help: {},
  options: {},
  async run({ values, page }) {
    const config = readConfig();
    const logger = pino({ level: config.LOG_LEVEL }, pino.destination({ dest: 2, sync: false }));
    handleUncaught(logger);
    // Loaded when it is needed: other commands start in a fraction of the time without it.
    const { startServer } = await import('../server.ts');
    const server = await startServer(config, logger, page);
    process.stdout.write(values.json === true ? `${JSON.stringify(server.about)}\n` : banner(server));
    await untilShutdown(logger, () => server.close());
  },
};

function banner({ about }: RunningServer): string {
  const lines = [
    '',
    `  Workshop rooms at ${about.url}`,
    `  REST reference    ${about.url}/docs`,
    `  Log               ${about.log}`,
    `  Database          ${about.database}`,
  ];
  if (about.guests)
    lines.push(
      '  A token           ' +
        `curl -s -X POST ${about.url}/api/guest -H 'content-type: application/json' -d '{"displayName":"Ada"}'`,
    );
  else
    lines.push(
      '  A token           any JSON Web Token that AUTH_SECRET or AUTH_JWKS_URL vouches for (docs/tokens.md)',
    );
  return `${lines.join('\n')}\n\n`;
}
