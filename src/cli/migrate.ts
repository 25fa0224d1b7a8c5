/** `workshop migrate`: the database's migrations by themselves, for who gives the nodes a user that may not run them. */
import { readConfig } from '../config.ts';
import { type CliCommand, CommandFailed } from './command.ts';

export const migrate: CliCommand = {
  name: 'migrate',
  summary: 'Runs the migrations of Postgres that are due, and gives its roles their rights on the tables.',
  usage: 'workshop migrate [--json]',
  help: {},
  options: {},
  async run({ values }) {
    const { MIGRATE_DATABASE_URL, DATABASE_URL } = readConfig();
    const url = MIGRATE_DATABASE_URL ?? DATABASE_URL;
    if (url === undefined)
      throw new CommandFailed(
        'DATABASE_URL: none is given, and an embedded database is migrated by its server',
      );
    const { migrateDatabase } = await import('../../projections/database/open.ts');
    const migrations = await migrateDatabase(url);
    if (values.json === true) process.stdout.write(`${JSON.stringify({ migrations })}\n`);
    else if (migrations.length === 0) process.stdout.write('the database is as it should be\n');
    else process.stdout.write(`migrated: ${migrations.join(', ')}\n`);
  },
};
