/**
 * `node --import ./test/kit/sources.js file.ts` runs TypeScript as it is: benches, docs and programs of tests. Without tsx's cache,
 * which lies in a folder for temporary files that another user may have made beforehand.
 */
process.env.TSX_DISABLE_CACHE = '1';
const { register } = await import('tsx/esm/api');
register();
