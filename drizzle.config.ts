/** For `drizzle-kit generate`, which writes `projections/migrations/` from the tables' definitions. */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './projections/schema.ts',
  out: './projections/migrations',
  // The program runs them itself, see `projections/database/migrate.ts`; this is where it notes what it has run.
  migrations: { schema: 'public', table: 'workshop_migrations' },
});
