/** Runs in every test file: fails it if child processes, connections or listening sockets of its own are left at its end. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { childCommands, openConnections, openedSince, openResources } from './openResources.ts';
import { until } from './until.ts';

/** How long things may take to close after their `close()` was called, in milliseconds. */
const graceMs = 3_000;

// Whatever the test runner itself has open is there before the file's first line.
const before = openResources();

// The first hook to be registered is the last to run: the file's own hooks have closed what they close.
afterAll(async () => {
  // What was asked to open in the last line of a test is open by the next turn of the loop.
  await nextTurn();
  const isClean = () => openedSince(before).length === 0;
  await until(isClean, { what: 'this file to leave nothing open', timeout: graceMs }).catch(() => {
    const left = [openedSince(before).join(', '), ...openConnections(), ...childCommands()].join('\n  ');
    throw new Error(`left open at the end of this file: ${left}`);
  });
}, graceMs + 2_000);
