/** For `drizzle-kit generate`, which writes `projections/migrations/` from the tables' definitions. */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './projections/schema.ts',
  out: './projections/migrations',
});
