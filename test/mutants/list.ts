/**
 * The lines that `npm run mutants` breaks, one after another. Where such a line is wrong something is lost, comes back or is let in
 * without anybody noticing: each entry names the tests that have to fail then.
 */
import { log } from './lines/log.ts';
import { client, rights } from './lines/rights.ts';
import { engine, sockets } from './lines/rooms.ts';
import { projections } from './lines/tables.ts';
import type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  ...log,
  ...engine,
  ...sockets,
  ...projections,
  ...client,
  ...rights,
];
