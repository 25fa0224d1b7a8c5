/** A workshop that took place a while ago: the acts of a simulated one, decided one after the other at the times of the script. */
import { v7 } from 'uuid';
import { commandOf, isCommandName } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Actor, User } from '../../src/domain/define.ts';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom } from '../../src/domain/room.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { type Act, payloadOf } from '../../src/simulate/acts.ts';
import { planWorkshop } from '../../src/simulate/script.ts';

export interface PastWorkshop {
  /** When it went live, in milliseconds since 1970. */
  startedAt: number;
  attendees: number;
  minutes: number;
  seed: number;
  title: string;
  /** Of person `n` it is `firstUser + n - 1`; the host is person 1. */
  firstUser: number;
}

/** What would have been recorded. What the script means to be refused is left out, and so are connections that are cut. */
export function pastEvents({ startedAt, firstUser, ...plan }: PastWorkshop): RecordedEvent[] {
  const script = planWorkshop({ ...plan, graceMs: 10_000 });
  const names = new Map(script.people.map(({ number, displayName }) => [number, displayName]));
  const userIdOf = (number: number) => firstUser + number - 1;
  const messages = new Map<number, number>();
  const ids = { userIdOf, messageIdOf: (line: number) => messages.get(line) ?? Number.MAX_SAFE_INTEGER };
  const room = emptyRoom(0);
  const events: RecordedEvent[] = [];

  for (const act of script.acts) {
    if (act.refused !== undefined || !isCommandName(act.name)) continue;
    const payload = commandOf(act.name).payload.parse(inputOf(act));
    const user = { userId: userIdOf(act.by), displayName: names.get(act.by) ?? '', avatarUrl: null };
    const actor: Actor = { kind: 'user', ...user, roles: [] } satisfies User;
    const decision = decide(room, { name: act.name, payload, actor });
    if (decision.kind !== 'append') continue;
    const commandId = v7();
    for (const event of decision.events) {
      const recorded = {
        ...{ ...event, version: room.version + 1, at: startedAt + act.atMs, eventId: v7(), schema: 1 },
        ...{ by: user.userId, commandId },
      };
      evolve(room, recorded);
      events.push(recorded);
    }
    if (act.name === 'chat') messages.set(act.line, room.version);
  }
  return events;

  function inputOf(act: Act): unknown {
    if (act.name !== 'schedule-workshop') return payloadOf(act, ids);
    return {
      title: plan.title,
      scheduledAt: new Date(startedAt).toISOString(),
      durationMinutes: plan.minutes,
    };
  }
}

/** Puts it into the log that nodes work on, as one that was lost is put back: tables do not get it. Answers with its id. */
export async function addToRedis(redisUrl: string, events: readonly RecordedEvent[]): Promise<number> {
  const log = await redisLog({ address: { url: redisUrl }, onError: () => undefined });
  try {
    const { workshopId } = await log.ids.allocate();
    if (await log.streams.refill(workshopId, pagesOf(events))) return workshopId;
    throw new Error(`workshop ${workshopId} was not put into the log`);
  } finally {
    await log.close();
  }
}

async function* pagesOf(events: readonly RecordedEvent[]): AsyncGenerator<RecordedEvent[]> {
  for (let first = 0; first < events.length; first += 1_000) yield events.slice(first, first + 1_000);
}
