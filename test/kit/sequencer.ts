/** The order of the test files: those that take long begin first, so that no core waits for the other at the end. */
import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longer than some ten seconds, the longest first. A file that is not among them comes later. */
const long = [
  'packages/packages.browser.test.ts',
  'faults/projectors.e2e.test.ts',
  'faults/processes.e2e.test.ts',
  'e2e/rollingRestart.e2e.test.ts',
  'faults/unreachable.e2e.test.ts',
  'cli/simulate.e2e.test.ts',
  'faults/fuzz.e2e.test.ts',
  'faults/failover.e2e.test.ts',
  'faults/redis.e2e.test.ts',
  'faults/embedded.e2e.test.ts',
  'socket/presence.e2e.test.ts',
  'cli/serve.e2e.test.ts',
  'faults/everything.e2e.test.ts',
  'faults/disk.e2e.test.ts',
  'projections/database/database.pg.test.ts',
  'projections/database/blackHole.pg.test.ts',
  'projections/database/settings.pg.test.ts',
  'projections/archive/archiver.pg.test.ts',
  'projections/rebuild/rebuild.pg.test.ts',
  'cli/verify.e2e.test.ts',
  'cli/projections.e2e.test.ts',
  'socket/storm.e2e.test.ts',
  'socket/readers.test.ts',
  'socket/table.e2e.test.ts',
  'hooks/page.browser.test.ts',
  'history/memory.test.ts',
  'socket/limits.e2e.test.ts',
  'hooks/useWorkshopSocket.e2e.test.tsx',
  'deploy/roles.e2e.test.ts',
  'projections/parked/skipped.pg.test.ts',
  'projections/worker/projector.pg.test.ts',
  'socket/trouble.e2e.test.ts',
  'cli/eraseUser.e2e.test.ts',
  'socket/slowConsumer.e2e.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const folder = join(this.ctx.config.root, 'test');
    const place = ({ moduleId, project }: TestSpecification) => {
      // A process that others share ends where the next file wants one of its own: those come before all others.
      if (project.config.isolate) return -1;
      const found = long.indexOf(relative(folder, moduleId));
      return found === -1 ? long.length : found;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
