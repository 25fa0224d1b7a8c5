/**
 * Hears from Sentinels that another Redis is the primary now, once for all connections of a process.
 *
 * ioredis' own `failoverDetector` is not used: what it hears while a connection is being made ends that connection for good
 * (5.11: `SentinelConnector.disconnect` under `connect`; redis/ioredis#1683 tells what that looks like).
 */
import { Redis } from 'ioredis';
import { backoffMs } from '../../timing/retry.ts';
import type { Endpoint, SentinelAddress } from './address.ts';

const switched = '+switch-master';

/** Each Sentinel tells of it when it learns of it. Answers with what ends the listening. */
export function hearSwitches(
  { sentinels, master, sentinelPassword }: SentinelAddress,
  heard: (primary: Endpoint) => void,
): () => void {
  const all = sentinels.map(({ host, port }) => {
    const sentinel = new Redis({
      ...{ host, port, enableReadyCheck: false, keepAlive: 10_000 },
      ...(sentinelPassword !== undefined && { password: sentinelPassword }),
      // One that is away is tried again and again; the others tell meanwhile.
      ...{ retryStrategy: backoffMs, maxRetriesPerRequest: null },
    });
    sentinel.on('error', () => undefined);
    sentinel.on('message', (_, message: string) => {
      // Name, then host and port of the former primary and of the one now.
      const [name, , , to = '', toPort] = message.split(' ');
      if (name === master) heard({ host: to, port: Number(toPort) });
    });
    sentinel.subscribe(switched).catch(() => undefined);
    return sentinel;
  });
  return () => {
    for (const each of all) each.disconnect();
  };
}
