/** The Lua scripts as commands of an ioredis client: sent by hash, loaded again by themselves after a restart of Redis. */
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

const scripts = {
  wsSettings: { file: 'settings.lua', numberOfKeys: 1 },
  wsIdentity: { file: 'identity.lua', numberOfKeys: 1 },
  wsNotes: { file: 'notes.lua', numberOfKeys: 1 },
  /** The number of keys comes first. */
  wsAppend: { file: 'append.lua', numberOfKeys: undefined },
  wsHead: { file: 'head.lua', numberOfKeys: 2 },
  wsCheck: { file: 'check.lua', numberOfKeys: 4 },
  wsHold: { file: 'hold.lua', numberOfKeys: 3 },
  wsBury: { file: 'bury.lua', numberOfKeys: 2 },
  wsRenew: { file: 'renew.lua', numberOfKeys: 1 },
  wsEpoch: { file: 'epoch.lua', numberOfKeys: 1 },
  wsRefill: { file: 'refill.lua', numberOfKeys: 8 },
  wsRemove: { file: 'remove.lua', numberOfKeys: 9 },
  wsRewrite: { file: 'rewrite.lua', numberOfKeys: 6 },
  wsAnnounce: { file: 'announce.lua', numberOfKeys: 3 },
  wsSnapshot: { file: 'snapshot.lua', numberOfKeys: 3 },
  wsClaim: { file: 'claim.lua', numberOfKeys: 1 },
  wsTimer: { file: 'timer.lua', numberOfKeys: 2 },
  wsAllocate: { file: 'allocate.lua', numberOfKeys: 3 },
  wsRaise: { file: 'raise.lua', numberOfKeys: 2 },
} as const;

type Scripts = Record<keyof typeof scripts, (...keysAndArguments: (string | number)[]) => Promise<unknown>>;
export type Connection = Redis | Cluster;
export type ScriptedConnection = Connection & Scripts;

export function withScripts(connection: Connection): ScriptedConnection {
  for (const [name, { file, numberOfKeys }] of Object.entries(scripts)) {
    const lua = source(file);
    connection.defineCommand(name, { ...(numberOfKeys !== undefined && { numberOfKeys }), lua });
  }
  // defineCommand puts the methods on the instance; ioredis has no type for that.
  return connection as ScriptedConnection;
}

/** The script's text; a line `-- @include <file>` stands for that file. */
function source(file: string): string {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return text.replace(/^-- @include (\S+)$/gm, (_, included: string) => source(included));
}
