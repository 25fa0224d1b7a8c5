/** Rooms that were folded before: kept beside the events that they are of, and gone with them. */
import { expect, test } from 'vitest';
import { type EventLog, isPart } from '../../../src/log/log.ts';
import type { Stage } from '../contract.ts';
import { command, draft, fill, sent } from '../drafts.ts';

const workshopId = 81;

async function headOf(log: EventLog) {
  const head = await log.events.head(workshopId);
  if (head === null) throw new Error('there is no such workshop');
  return head;
}

export function snapshotTests(stage: Stage): void {
  test('[G2] a room is kept under its version, its epoch and the id of its last event', async () => {
    const { log } = stage;
    const { epoch } = await fill(log, workshopId, 5);
    expect(await log.snapshots.read(workshopId)).toBeNull();
    await log.snapshots.keep(workshopId, { version: 3, epoch, room: 'three “chairs”' });
    const [, , third] = await log.events.read(workshopId, 0, 5);
    const kept = { version: 3, epoch, eventId: third?.eventId, room: 'three “chairs”' };
    expect(await (await stage.second()).snapshots.read(workshopId)).toEqual(kept);
    expect(await log.snapshots.read(82)).toBeNull();
  });

  test('[G2] an older one takes no newer one’s place, and one of events that there are not is not kept', async () => {
    const { log } = stage;
    const { epoch } = await fill(log, workshopId, 5);
    await log.snapshots.keep(workshopId, { version: 4, epoch, room: 'four' });
    for (const other of [
      { version: 3, epoch },
      { version: 6, epoch },
      { version: 5, epoch: 'another' },
    ])
      await log.snapshots.keep(workshopId, { ...other, room: 'other' });
    await log.snapshots.keep(999, { version: 1, epoch, room: 'other' });
    expect(await log.snapshots.read(workshopId)).toMatchObject({ version: 4, room: 'four' });
    expect(await log.snapshots.read(999)).toBeNull();
    await log.snapshots.keep(workshopId, { version: 5, epoch, room: 'five' });
    expect(await log.snapshots.read(workshopId)).toMatchObject({ version: 5, room: 'five' });
  });

  test('[G2] it goes when events are rewritten, and what was folded before that is not kept any more', async () => {
    const { log } = stage;
    await sent(log, { workshopId }, command({ events: [draft([], { text: 'secret' }), draft()] }));
    const { epoch, version } = await headOf(log);
    const snapshot = { version, epoch, room: 'secret' };
    await log.snapshots.keep(workshopId, snapshot);
    await log.streams.rewrite(workshopId, (event) => (event.version === 1 ? { text: null } : event.data));
    expect(await log.snapshots.read(workshopId)).toBeNull();
    await log.snapshots.keep(workshopId, snapshot);
    expect(await log.snapshots.read(workshopId)).toBeNull();
    expect(isPart(await headOf(log), epoch, version)).toBe(false);
  });

  test('[G2] it goes with the stream, and does not come back with it', async () => {
    const { log } = stage;
    await fill(log, workshopId, 2);
    const { epoch, version } = await headOf(log);
    const events = await log.events.read(workshopId, 0, 10);
    await log.snapshots.keep(workshopId, { version, epoch, room: 'two' });
    await log.streams.remove(workshopId, { version, epoch, eventId: events.at(-1)?.eventId ?? '' });
    expect(await log.snapshots.read(workshopId)).toBeNull();
    async function* pages() {
      yield events;
    }
    await log.streams.refill(workshopId, pages());
    await log.snapshots.keep(workshopId, { version, epoch, room: 'two' });
    expect(await log.snapshots.read(workshopId)).toBeNull();
  });
}
