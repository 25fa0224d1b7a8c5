/**
 * The limits: what is counted, on whose account, and how much of it goes through. This is their one definition; the program
 * and `docs/reference/limits.md` both read it. Generous on purpose: five hundred people behind the address of one school join
 * and chat at once, and a phone in a tunnel comes back with all its tabs.
 */
import { type CommandName, commandOf, isCommandName } from '../domain/catalog.ts';

/** On whose account something is counted, the narrowest first: that is also the order in which they are asked. */
export const layers = ['socket', 'user', 'address', 'workshop'] as const;
export type Layer = (typeof layers)[number];

/** So many within so many seconds, which begin with the first of them. */
export interface Allowance {
  points: number;
  seconds: number;
  /** No scale makes it less. */
  least?: number;
}

interface Limit {
  /** What is counted, as the reference says it. */
  counts: string;
  allows: Partial<Record<Layer, Allowance>>;
}

const within = (seconds: number) => (points: number) => ({ points, seconds });
const inTenSeconds = within(10);
const inAMinute = within(60);
const inADay = within(24 * 60 * 60);
const crowd = { address: inTenSeconds(6_000), workshop: inTenSeconds(6_000) };

export const limitTable = {
  connect: {
    counts: 'Connecting to the namespace, with a valid token',
    allows: { user: inAMinute(200), address: inTenSeconds(3_000) },
  },
  message: {
    counts: 'Any message on a connection, before it is parsed. What exceeds it is disconnected',
    allows: { socket: inTenSeconds(2_000) },
  },
  refusal: {
    counts:
      'Refusals as `rate_limited`, and any refusal of what is never held up. Who goes on all the same is disconnected',
    allows: { socket: inAMinute(2_000) },
  },
  join: { counts: '`workshop:join`', allows: { user: inTenSeconds(60), ...crowd } },
  chat: { counts: '`workshop:chat`', allows: { user: inTenSeconds(60), ...crowd } },
  hand: { counts: '`workshop:raise-hand`', allows: { user: inTenSeconds(60), ...crowd } },
  page: {
    counts: '`workshop:attendees`',
    allows: { user: inTenSeconds(120), address: inTenSeconds(6_000) },
  },
  authenticate: {
    counts: '`workshop:authenticate`',
    allows: { user: inAMinute(60), address: inTenSeconds(3_000) },
  },
  other: {
    counts: 'Any other command, and names that are none',
    allows: { user: inTenSeconds(60), ...crowd },
  },
  moderate: {
    counts: 'Moderating, lowering a hand and deleting a message: no person is as fast',
    allows: { user: { points: 400, seconds: 20, least: 100 } },
  },
  request: {
    counts: 'Any request under `/api` with a valid token',
    allows: { user: inTenSeconds(2_000), address: inTenSeconds(20_000) },
  },
  change: {
    counts: 'Requests that change something, deleting a chat message aside',
    allows: { user: inTenSeconds(400), address: inTenSeconds(6_000) },
  },
  schedule: {
    counts: 'Scheduling a workshop, which the log keeps until a day after its time at least',
    allows: { user: { ...inADay(5_000), least: 100 }, address: { ...inADay(50_000), least: 1_000 } },
  },
  guest: { counts: '`POST /api/guest`', allows: { address: inAMinute(3_000) } },
  unauthenticated: {
    counts: 'Connections and requests without a valid token',
    allows: { address: inAMinute(1_000) },
  },
} as const satisfies Record<string, Limit>;

export type Kind = keyof typeof limitTable;
export const kinds = Object.keys(limitTable) as Kind[];

export function allowancesOf(kind: Kind): Partial<Record<Layer, Allowance>> {
  return limitTable[kind].allows;
}

const kindOfMessage: Record<string, Kind> = {
  join: 'join',
  chat: 'chat',
  'raise-hand': 'hand',
  attendees: 'page',
  authenticate: 'authenticate',
};

/** Giving way, and taking words back: anyone's, and as little held up as moderating. */
const givingWay: readonly CommandName[] = ['lower-hand', 'delete-chat', 'withdraw-message'];

/**
 * Commands that are held up at the pace of programs alone, never at that of people. That they come over a socket (or as a request)
 * is counted like everything else there.
 */
export function isModerating(name: CommandName): boolean {
  const { via, who } = commandOf(name);
  return givingWay.includes(name) || (via === 'socket' && (who === 'host' || who === 'moderator'));
}

/** What a message of that bare name counts as over a socket; undefined where it is free, as going is. */
export function kindOf(name: string): Kind | undefined {
  if (name === 'leave') return undefined;
  const kind = kindOfMessage[name];
  if (kind !== undefined) return kind;
  return isCommandName(name) && isModerating(name) ? 'moderate' : 'other';
}

/** Sockets that a user has at once on a node. One more is refused: those that are there are somebody's tabs. */
export const socketsOfUser = { most: 100, least: 20 };
