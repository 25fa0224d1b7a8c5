/** What a large export holds of memory: members and a page, never the events. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { exportText, type Wish } from '../../src/history/exports.ts';
import { wireContextOf } from '../../src/history/following.ts';
import { type OpenHistory, workshopHistory } from '../../src/history/history.ts';
import { timeline } from '../../src/history/timeline.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import { appendChat } from '../kit/appendChat.ts';
import { temporaryFolder } from '../kit/folder.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const workshopId = 7;
const count = 200_000;

/** In MB, of what is in use. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed / 1e6;
}

/** Highest use, looked at every 50 pages, above that at the beginning. */
function watched(history: OpenHistory) {
  const before = heap();
  let most = 0;
  let pages = 0;
  async function* looked() {
    for await (const page of history.pages(0, 500)) {
      if (++pages % 50 === 0) most = Math.max(most, heap() - before);
      yield page;
    }
  }
  return { pages: looked(), most: () => most };
}

it('[A20] a large workshop is exported, and its timeline told, with a heap that stays flat', {
  timeout: 180_000,
}, async () => {
  const folder = temporaryFolder('memory');
  const log = await embeddedLog({ path: `${folder.path}/log` });
  try {
    await appendChat(log, { workshopId, count, message: 'a message as long as such messages are' });
    const history = await workshopHistory(log.events).open(workshopId);
    if (history === undefined) throw new Error('there is no such history');
    const context = await wireContextOf(history.pages());
    const wishes: Partial<Wish>[] = [{ what: 'events' }, { what: 'chat' }, { what: 'attendance' }];
    for (const wish of wishes) {
      const { pages, most } = watched(history);
      const source = { workshopId, pages, now: log.now(), context: async () => context };
      let bytes = 0;
      const whole: Wish = { what: 'chat', format: 'csv', raw: false, intervals: false, ...wish };
      for await (const text of exportText(source, whole)) bytes += text.length;
      if (wish.what !== 'attendance') expect(bytes).toBeGreaterThan(count * 50);
      expect(most(), wish.what).toBeLessThan(15);
    }
    const { pages, most } = watched(history);
    await timeline(pages, { workshopId, bucketMs: 1_000, now: log.now(), deleted: new Set() });
    expect(most(), 'timeline').toBeLessThan(15);
  } finally {
    await log.close();
    await folder.close();
  }
});
