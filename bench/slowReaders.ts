/**
 * A thousand people in one room, of whom one in twenty stops reading: what it costs the others, and the node's memory. Those are in a
 * second, talkative room too: what the kernels keep of a few messages nobody would notice.
 */
import { readFileSync } from 'node:fs';
import { quantile } from './measure.ts';
import { type RawClient, rawClient } from './rawClient.ts';
import { schedule, start, token, workshop } from './served.ts';

const people = 1_000;
const perSecond = 5;
const seconds = 20;
const filler = 'and words for a kilobyte '.repeat(38);
/** Four kilobytes, so often for each message that everybody gets. */
const talk = '🧶'.repeat(1_000);
const talkative = 15;
const mark = '"message":"';

export interface Measuring {
  env: Record<string, string>;
  measure(name: string, unit: string, value: number, beside?: string): void;
}

export async function slowReaders({ env, measure }: Measuring): Promise<void> {
  for (const share of [0, 0.05]) {
    const { delays, grownMiB, closedAfter } = await run(env, share);
    const who = share === 0 ? 'everyone reads' : 'one in twenty does not read';
    const beside = (what: string) => (share === 0 ? undefined : `everyone reads: ${what}`);
    measure(`${who}: delay, p50`, 'ms', quantile(delays, 0.5), beside('delay, p50'));
    measure(`${who}: delay, p99`, 'ms', quantile(delays, 0.99), beside('delay, p99'));
    measure(`${who}: memory grows by at most`, 'MiB', grownMiB, beside('memory grows by at most'));
    if (share === 0) continue;
    if (closedAfter === undefined) throw new Error('not all who do not read were closed');
    measure(`${who}: the last of them is closed`, 's', closedAfter);
  }
}

async function run(env: Record<string, string>, share: number) {
  const { process, url } = await start([workshop, 'serve', '--json'], env);
  const [workshopId = 0] = await schedule(url, { rooms: 1, members: people });
  const few = people / 20;
  const [second = 0] = await schedule(url, { rooms: 1, members: few });
  const delays: number[] = [];
  const heard = (text: string) => {
    const now = performance.now();
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) {
      const sent = Number.parseFloat(text.slice(at + mark.length, at + mark.length + 20));
      if (!Number.isNaN(sent)) delays.push(now - sent);
    }
  };
  const clients: RawClient[] = [];
  for (let n = 0; n < people; n++) clients.push(await rawClient(url, { token: await token(2 + n) }, heard));
  await Promise.all(
    clients.map((client) => client.ask('workshop:join', { workshopId, batch: true, roster: false })),
  );
  await Promise.all(
    clients
      .slice(0, few)
      .map((client) => client.ask('workshop:join', { workshopId: second, batch: true, roster: false })),
  );
  const host = await rawClient(url, { token: await token(1) }, () => undefined);
  await host.ask('workshop:join', { workshopId: second, batch: true, roster: false });
  const slow = clients.slice(0, people * share);
  for (const client of slow) client.pause();
  const before = residentMiB(process.pid);
  let highest = before;
  const began = performance.now();
  let closedAfter: number | undefined;
  async function look(): Promise<void> {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const given = Number(/^workshop_slow_consumers_total (\d+)/m.exec(metrics)?.[1] ?? 0);
    if (given >= slow.length) closedAfter ??= (performance.now() - began) / 1_000;
  }
  const speaker = clients.at(-1);
  for (let n = 0; n < perSecond * seconds; n++) {
    speaker?.emit('workshop:chat', { workshopId, message: `${performance.now()} ${filler}` });
    for (let m = 0; m < talkative; m++) host.emit('workshop:chat', { workshopId: second, message: talk });
    await new Promise((resolve) => setTimeout(resolve, 1_000 / perSecond));
    highest = Math.max(highest, residentMiB(process.pid));
    if (slow.length > 0 && closedAfter === undefined && n % perSecond === 0) await look();
  }
  const reading = people - slow.length;
  for (let wait = 0; delays.length < reading * perSecond * seconds && wait < 200; wait++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  if (delays.length !== reading * perSecond * seconds)
    throw new Error(`${delays.length} of ${reading * perSecond * seconds} messages arrived`);
  if (closedAfter === undefined) await look();
  for (const client of [...clients, host]) client.close();
  await process.stop({ within: 30_000 });
  return { delays, grownMiB: highest - before, closedAfter };
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1_024;
}
