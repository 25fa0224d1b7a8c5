/**
 * Where several rules are broken, the one that the contract names first answers. Every combination of circumstances is
 * generated; which rules it breaks is told from the circumstances and the contract's words alone.
 */
import { describe, expect, test } from 'vitest';
import type { CommandName } from '../../src/domain/catalog.ts';
import type { NewEvent, RefusalCode, User } from '../../src/domain/define.ts';
import type { Status, Visibility } from '../../src/domain/room.ts';
import * as cast from './cast.ts';
import { decideOn, roomAfter } from './given.ts';

const { ana, bo, cora, hanna, sam } = cast;

/** The contract's list, as far as the domain decides it. */
const order: readonly RefusalCode[] = [
  'not_found',
  'removed',
  'not_a_member',
  'forbidden',
  'invalid_state',
  'not_joined',
  'target_not_found',
  'workshop_full',
];

interface Rules {
  statuses: readonly Status[];
  /** Who beside the host: co-hosts, nobody, or everyone admitted. */
  who: 'moderators' | 'host' | 'members';
  /** Asked of everyone, or only of who acts on themselves. */
  joined?: 'everyone' | 'oneself';
  /** `spares` forbids the host as a target. */
  target?: 'spares' | 'any';
  capacity?: true;
}

const unfinished = ['scheduled', 'lobby', 'live'] as const;
const onTheFloor = ['lobby', 'live'] as const;

const rules: Partial<Record<CommandName, Rules>> = {
  join: { statuses: unfinished, who: 'members', capacity: true },
  'raise-hand': { statuses: onTheFloor, who: 'members', joined: 'everyone' },
  chat: { statuses: onTheFloor, who: 'members', joined: 'everyone' },
  'lower-hand': { statuses: onTheFloor, who: 'moderators', target: 'any', joined: 'oneself' },
  'approve-speaker': { statuses: onTheFloor, who: 'moderators', target: 'spares' },
  'revoke-speaker': { statuses: onTheFloor, who: 'moderators', target: 'spares' },
  'mute-user': { statuses: onTheFloor, who: 'moderators', target: 'spares' },
  'remove-user': { statuses: unfinished, who: 'moderators', target: 'spares' },
  'readmit-user': { statuses: unfinished, who: 'moderators', target: 'any' },
  'promote-cohost': { statuses: unfinished, who: 'host', target: 'spares' },
  'demote-cohost': { statuses: unfinished, who: 'host', target: 'spares' },
  'invite-users': { statuses: unfinished, who: 'moderators' },
  'update-workshop': { statuses: ['scheduled', 'lobby'], who: 'host' },
};

/** Ana acts, unless the host does. */
interface Circumstances {
  visibility: Visibility;
  actor: 'host' | 'coHost' | 'member' | 'removed' | 'stranger';
  status: Status;
  present: boolean;
  target: 'host' | 'member' | 'stranger';
  full: boolean;
}

const choices: { [K in keyof Circumstances]: readonly Circumstances[K][] } = {
  visibility: ['public', 'private'],
  actor: ['host', 'coHost', 'member', 'removed', 'stranger'],
  status: ['scheduled', 'lobby', 'live', 'ended', 'cancelled'],
  present: [true, false],
  target: ['host', 'member', 'stranger'],
  full: [true, false],
};

function everyCircumstance(): Circumstances[] {
  const { visibility, actor, status, present, target, full } = choices;
  const all = visibility.flatMap((v) =>
    actor.flatMap((a) =>
      status.flatMap((s) =>
        present.flatMap((p) =>
          target.flatMap((t) =>
            full.map((f) => ({ visibility: v, actor: a, status: s, present: p, target: t, full: f })),
          ),
        ),
      ),
    ),
  );
  // Who was removed is not present, nor is a stranger; once it is over nobody is, and it is not full either.
  const over = (c: Circumstances) => c.status === 'ended' || c.status === 'cancelled';
  return all
    .filter((c) => !(c.present && (over(c) || c.actor === 'removed' || c.actor === 'stranger')))
    .filter((c) => !(c.full && over(c)));
}

const until: Record<Status, NewEvent[]> = {
  scheduled: [],
  lobby: [cast.opened],
  live: [cast.started],
  ended: [cast.started, cast.ended],
  cancelled: [cast.cancelled],
};

function past(c: Circumstances): NewEvent[] {
  const admitted = c.actor === 'stranger' || c.actor === 'host' ? [] : [cast.invited(ana)];
  const rank = c.actor === 'coHost' ? [cast.promoted(ana)] : c.actor === 'removed' ? [cast.removed(ana)] : [];
  const who = c.actor === 'host' ? hanna : ana;
  return [
    cast.scheduled({ visibility: c.visibility, capacity: 1 }),
    ...[bo, cora].map(cast.invited),
    ...admitted,
    ...rank,
    ...(c.present ? [cast.joined(who, { isCoHost: c.actor === 'coHost' })] : []),
    ...(c.full ? [cast.joined(bo)] : []),
    ...until[c.status],
  ];
}

const targets: Record<Circumstances['target'], User> = { host: hanna, member: cora, stranger: sam };

function payloadOf(name: CommandName, c: Circumstances): unknown {
  if (rules[name]?.target !== undefined) return { targetUserId: targets[c.target].userId };
  if (name === 'chat') return { message: 'hello' };
  if (name === 'invite-users') return { userIds: [sam.userId] };
  return {};
}

/** All rules that the contract lays down for the command and that these circumstances break. */
function broken(rule: Rules, c: Circumstances): RefusalCode[] {
  const isMember = c.actor !== 'stranger' && c.actor !== 'removed';
  const isModerator = c.actor === 'host' || c.actor === 'coHost';
  const mayByRole =
    rule.who === 'members' ? isMember : rule.who === 'moderators' ? isModerator : c.actor === 'host';
  const isOneself = c.actor === 'host' && c.target === 'host';
  const isAskedToBeIn = rule.joined === 'everyone' || (rule.joined === 'oneself' && isOneself);
  const codes: [RefusalCode, boolean][] = [
    ['not_found', c.visibility === 'private' && c.actor === 'stranger'],
    ['removed', c.actor === 'removed'],
    ['not_a_member', c.actor === 'stranger'],
    ['forbidden', (isMember && !mayByRole) || (rule.target === 'spares' && c.target === 'host')],
    ['invalid_state', !rule.statuses.includes(c.status)],
    ['not_joined', isAskedToBeIn && !c.present],
    ['target_not_found', rule.target !== undefined && c.target === 'stranger'],
    ['workshop_full', rule.capacity === true && c.full && c.actor === 'member' && !c.present],
  ];
  return codes.filter(([, isBroken]) => isBroken).map(([code]) => code);
}

const circumstances = everyCircumstance();
const named = Object.entries(rules) as [CommandName, Rules][];

describe('the first broken rule answers', () => {
  test.each(named)('%s', (name, rule) => {
    for (const c of circumstances) {
      const decision = decideOn(
        roomAfter(...past(c)),
        name,
        payloadOf(name, c),
        c.actor === 'host' ? hanna : ana,
      );
      const first = broken(rule, c).sort((a, b) => order.indexOf(a) - order.indexOf(b))[0];
      const answer = decision.kind === 'refused' ? decision.code : undefined;
      expect(answer, `${name} in ${JSON.stringify(c)}`).toBe(first);
    }
  });

  test('the circumstances break every pair of rules that can be broken together', () => {
    const pairs = new Set(
      named.flatMap(([, rule]) =>
        circumstances.flatMap((c) => {
          const codes = broken(rule, c);
          return codes.flatMap((one, index) => codes.slice(index + 1).map((two) => `${one} ${two}`));
        }),
      ),
    );
    expect([...pairs].sort()).toEqual([
      'forbidden invalid_state',
      'forbidden target_not_found',
      'invalid_state not_joined',
      'invalid_state target_not_found',
      'not_a_member forbidden',
      'not_a_member invalid_state',
      'not_a_member not_joined',
      'not_a_member target_not_found',
      'not_found forbidden',
      'not_found invalid_state',
      'not_found not_a_member',
      'not_found not_joined',
      'not_found target_not_found',
      'removed forbidden',
      'removed invalid_state',
      'removed not_joined',
      'removed target_not_found',
    ]);
  });
});
