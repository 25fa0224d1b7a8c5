/**
 * People in one workshop who do what people do, by chance that can be repeated: they chat, raise hands, are approved, muted,
 * removed and let back in, leave and come again.
 */
import { type Person, type PersonOptions, person } from './person.ts';
import type { Chance } from './seeded.ts';
import { until } from './until.ts';

export interface CrowdOptions extends Omit<PersonOptions, 'userId'> {
  /** Their ids. The first is the workshop's host. */
  users: readonly number[];
  chance: Chance;
  /** Whether people are removed, leave and come back too; true if left out. */
  comings?: boolean;
}

export interface Crowd {
  readonly people: Person[];
  readonly host: Person;
  /** From now on this many wishes a second, over all of them. */
  begin(perSecond: number): void;
  /** No new wishes. */
  pause(): void;
  /** Resolves when everything that was asked has a final answer, and who wants to be in is in. */
  settle(timeout?: number): Promise<void>;
  /** How many wishes there have been. */
  readonly wishes: number;
  /** How many of them were answered with something appended. */
  readonly done: number;
  close(): void;
}

/** Resolves when all of them are in the room. */
export async function crowd({ users, chance, comings = true, ...options }: CrowdOptions): Promise<Crowd> {
  const people = users.map((userId) => person({ ...options, userId }));
  const [host] = people;
  if (host === undefined) throw new RangeError('a crowd has a host');
  let wishes = 0;
  let done = 0;
  let timer: NodeJS.Timeout | undefined;
  const replies = await Promise.all(people.map((each) => each.join()));
  const refused = replies.find(({ ok }) => !ok);
  if (refused !== undefined) throw new Error(`could not join: ${JSON.stringify(refused)}`);

  async function ask(who: Person, name: string, payload: Record<string, unknown> = {}): Promise<void> {
    wishes++;
    const reply = await who.send(name, payload);
    if (reply.ok && reply.changed) done++;
  }

  /** One wish of one of them; what makes no sense just now is refused, and that is tried too. */
  function wish(): void {
    const who = chance.of(people);
    if (!who.inside) return;
    const dice = chance.below(100);
    if (dice < 60) void ask(who, 'chat', { message: `${who.userId} says ${wishes}` });
    else if (dice < 72) void ask(who, 'raise-hand');
    else if (dice < 77) void ask(who, 'lower-hand');
    else if (dice < 80) void forget(who);
    else if (dice < 82 && comings && who !== host) void who.leave().then(() => who.join());
    else moderate(who);
  }

  /** Mostly by someone who may. */
  function moderate(anyone: Person): void {
    const room = host?.view;
    const moderators = people.filter(
      ({ userId }) => userId === host?.userId || room?.coHostIds.includes(userId),
    );
    const who = chance.below(10) === 0 ? anyone : chance.of(moderators);
    const other = chance.of(people).userId;
    const targetUserId = room?.raisedHands[0] ?? other;
    const dice = chance.below(10);
    if (dice < 4) void ask(who, 'approve-speaker', { targetUserId });
    else if (dice < 5) void ask(who, 'lower-hand', { targetUserId });
    else if (dice < 6) void ask(who, 'revoke-speaker', { targetUserId: other });
    else if (dice < 7) void ask(who, 'mute-user', { targetUserId: other });
    else if (dice < 8) void ask(who, 'promote-cohost', { targetUserId: other });
    else if (dice < 9) void ask(who, 'demote-cohost', { targetUserId: other });
    else if (comings && other !== host?.userId) void removeFor(who, other);
  }

  async function forget(who: Person): Promise<void> {
    const own = who.view?.chat.findLast(({ userId, deleted }) => userId === who.userId && !deleted);
    if (own !== undefined) await ask(who, 'delete-chat', { messageId: own.id });
  }

  /** Puts someone out of the room and lets them in again, as far as that is still allowed. */
  async function removeFor(who: Person, targetUserId: number): Promise<void> {
    const target = people.find(({ userId }) => userId === targetUserId);
    const removed = ask(who, 'remove-user', { targetUserId });
    await Promise.all([removed, ask(who, 'readmit-user', { targetUserId })]);
    // Who is still inside has not heard of it yet, or nothing came of it.
    if (!target?.inside) await target?.join();
  }

  /** Lets everyone in again who was put out, or could not come back, while things went wrong. */
  async function bringBack(): Promise<void> {
    for (const each of people) {
      if (each.inside || each.joining) continue;
      if (each !== host) await host?.send('readmit-user', { targetUserId: each.userId });
      await each.join();
    }
  }

  return {
    people,
    host,
    begin(perSecond) {
      clearInterval(timer);
      const began = performance.now();
      let made = 0;
      timer = setInterval(() => {
        for (const due = ((performance.now() - began) * perSecond) / 1_000; made < due; made++) wish();
      }, 10);
    },
    pause: () => clearInterval(timer),
    async settle(timeout = 15_000) {
      clearInterval(timer);
      const isQuiet = async () => {
        await bringBack();
        const open = people.filter((each) => each.waiting > 0 || !each.inside);
        if (open.length === 0) return true;
        throw new Error(
          open.map((each) => `${each.userId}: ${each.waiting} open, in ${each.inside}`).join('; '),
        );
      };
      await until(isQuiet, { what: 'everything to be answered', timeout });
    },
    get wishes() {
      return wishes;
    },
    get done() {
      return done;
    },
    close() {
      clearInterval(timer);
      for (const each of people) each.close();
    },
  };
}
