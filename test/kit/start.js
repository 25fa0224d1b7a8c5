/**
 * The program as tests start it: that of `bin/workshop.js`, with WebAssembly staying as it is compiled first. Optimizing that of
 * PGlite takes longer than what tests ask of it then: opening a database 0.8 s of a core instead of 0.5, making one 5.6 instead
 * of 3.5.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--liftoff-only');
await import('../../bin/workshop.js');
