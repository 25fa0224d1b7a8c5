/** A stream that is written beside another one, to take its place in one step. */

/** One whose node died goes by itself after this time, in milliseconds. */
export const asideMs = 60_000;
