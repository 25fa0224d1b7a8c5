/** The program that tests start as a process: `node <program> serve`. */
import { join } from 'node:path';

/** The program with what makes its start cheap. */
export const program = join(import.meta.dirname, 'start.js');

/** What users start. */
export const bin = join(import.meta.dirname, '../../bin/workshop.js');
