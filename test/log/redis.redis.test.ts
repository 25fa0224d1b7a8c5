/** The contract of the log, on a real Redis. */
import { redisLog } from '../../src/log/redis/log.ts';
import { sharedRedis } from '../kit/shared.ts';
import { logContract } from './contract.ts';

logContract('Redis', async () => {
  const url = await sharedRedis();
  const open = () => redisLog({ address: { url }, onError: () => undefined });
  const first = await open();
  const logs = [first];
  return {
    log: first,
    async second() {
      const another = await open();
      logs.push(another);
      return another;
    },
    async close() {
      await Promise.all(logs.map((log) => log.close()));
    },
  };
});
