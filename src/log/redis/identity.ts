/** The identity of the log in this Redis: with the settings, so that a copy has it too and one that was emptied has none. */
import { Redis } from 'ioredis';
import { z } from 'zod';
import type { Identified, LogIdentity } from '../identity.ts';
import { globalKeys } from './keys.ts';
import type { Store } from './store.ts';

export function redisIdentity({ redis }: Store): LogIdentity {
  const number = redis instanceof Redis ? (redis.options.db ?? 0) : 0;

  async function ask(identity: string, isInstead: boolean): Promise<Identified> {
    const reply = await redis.wsIdentity(globalKeys.settings, identity, isInstead ? 1 : 0);
    const [found, run] = identityReply.parse(reply);
    // Of one Redis each database may hold a log.
    return { identity: found === '' ? null : found, run: number === 0 ? run : `${run}/${number}` };
  }

  return {
    read: () => ask('', false),
    claim: (identity) => ask(identity, false),
    change: (identity) => ask(identity, true),
  };
}

const identityReply = z.tuple([z.string(), z.string()]);
