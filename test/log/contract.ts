/** What every event log promises, as tests: they run against the embedded log and against Redis. See `src/log/log.ts`. */
import { afterEach, beforeEach, describe } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { appendTests } from './contract/append.ts';
import { commandTests } from './contract/commands.ts';
import { identityTests } from './contract/identity.ts';
import { idTests } from './contract/ids.ts';
import { keepingTests } from './contract/keeping.ts';
import { modelTests } from './contract/model.ts';
import { noteTests } from './contract/notes.ts';
import { presenceTests } from './contract/presence.ts';
import { readTests } from './contract/read.ts';
import { snapshotTests } from './contract/snapshots.ts';
import { tailTests } from './contract/tail.ts';
import { timerTests } from './contract/timers.ts';
import { writerTests } from './contract/writers.ts';

export interface OpenedLog {
  log: EventLog;
  /** Another node's handle on the same store; for the embedded log, which one process writes, the same object. */
  second(): Promise<EventLog>;
  close(): Promise<void>;
}

/** The logs of the test that runs. */
export interface Stage {
  readonly log: EventLog;
  second(): Promise<EventLog>;
}

/** Registers the tests. `open` gives an empty log. */
export function logContract(name: string, open: () => Promise<OpenedLog>): void {
  describe(`the ${name} log`, () => {
    let opened: OpenedLog | undefined;
    const here = () => {
      if (opened === undefined) throw new Error('the log is open only inside a test');
      return opened;
    };
    const stage: Stage = {
      get log() {
        return here().log;
      },
      second: () => here().second(),
    };
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened?.close();
      opened = undefined;
    });

    describe('appending', () => appendTests(stage));
    describe('command ids', () => commandTests(stage));
    describe('concurrent writers', () => writerTests(stage));
    describe('a model of it', () => modelTests(stage));
    describe('reading', () => readTests(stage));
    describe('the tail', () => tailTests(stage));
    describe('workshop ids', () => idTests(stage));
    describe('its identity', () => identityTests(stage));
    describe('notes', () => noteTests(stage));
    describe('presence', () => presenceTests(stage));
    describe('removing and writing anew', () => keepingTests(stage));
    describe('timers', () => timerTests(stage));
    describe('folded rooms', () => snapshotTests(stage));
  });
}
