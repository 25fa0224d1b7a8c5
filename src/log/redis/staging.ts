/** A stream that is written beside a workshop's, page by page, to take its place in one step: nobody sees a part of it. */
import { randomUUID } from 'node:crypto';
import type { StreamEntry } from './decode.ts';
import type { PartitionKeys } from './keys.ts';
import type { ScriptedConnection } from './scripts.ts';

/** One whose node died goes by itself after this time, in milliseconds. */
const stagingMs = 60_000;

export interface Staging {
  key: string;
  /** Adds entries to its end. */
  write(entries: readonly StreamEntry[]): Promise<void>;
}

export function stagingStream(redis: ScriptedConnection, keys: PartitionKeys, workshopId: number): Staging {
  const key = keys.workshop(workshopId).staging(randomUUID());
  return {
    key,
    async write(entries) {
      const writing = redis.pipeline();
      for (const [id, fields] of entries) writing.xadd(key, id, ...fields);
      writing.pexpire(key, stagingMs);
      for (const [error] of (await writing.exec()) ?? []) if (error !== null) throw error;
    },
  };
}
