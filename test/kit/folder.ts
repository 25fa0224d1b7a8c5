/** A folder for as long as something runs in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  readonly path: string;
  close(): Promise<void>;
}

/** A new empty folder that only this user can enter. It goes with `close()`, or with the process at the latest. */
export function temporaryFolder(name: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `workshop-${name}-`));
  const options = { recursive: true, force: true, maxRetries: 3 } as const;
  const onExit = () => rmSync(path, options);
  process.once('exit', onExit);
  return {
    path,
    async close() {
      process.off('exit', onExit);
      await rm(path, options);
    },
  };
}
