/**
 * Appending: what is ready in one turn of the loop goes to Redis in one call, each append of it all or nothing by itself
 * (`append.lua`). A call costs a node and Redis more than most of what it carries.
 *
 *   asked ──(end of the turn, or a call came back)──► under way, `atOnce` calls at most ──► answered
 */
import { Cluster } from 'ioredis';
import {
  type Append,
  type Appended,
  commandMemoryMs,
  type DraftCommand,
  maxEventsPerAppend,
  missingLimit,
} from '../log.ts';
import { recordedEvents } from './decode.ts';
import { globalKeys, type PartitionKeys } from './keys.ts';
import { newEpoch, type Store } from './store.ts';

/** What the log says, and the number that the append has in the feed of its partition, if it has one. */
export interface Placed {
  answer: Appended;
  sequence: number;
}

/** Calls under way at once to one Redis, or one partition of a cluster. What comes meanwhile makes the next one larger. */
const atOnce = 4;
/** Appends, and events, to one call at most: Redis does nothing else meanwhile. */
const most = { appends: 64, events: 1_200 };

interface Asked {
  request: Append;
  partition: number;
  keys: PartitionKeys;
  events: number;
  resolve(placed: Placed): void;
  reject(error: unknown): void;
}

export function appends(store: Store, feedLength: number): (request: Append) => Promise<Placed> {
  const { redis, keysOf, partitionOf } = store;
  const send = (group: readonly Asked[]) => call(redis, feedLength, group);
  // On a cluster partitions lie in different slots: a call has keys of one, and a master that is away holds up its own alone.
  const lanes =
    redis instanceof Cluster
      ? Array.from({ length: store.partitions }, () => lane(send))
      : new Array<Lane>(store.partitions).fill(lane(send));
  return (request) =>
    new Promise((resolve, reject) => {
      const events = request.commands.reduce((sum, command) => sum + command.events.length, 0);
      // Beyond this Lua cannot unpack the arguments of one XADD.
      if (events > maxEventsPerAppend)
        return reject(new RangeError(`an append holds ${maxEventsPerAppend} events at most`));
      const partition = partitionOf(request.workshopId);
      // Throws where there is no such partition.
      const keys = keysOf(partition);
      lanes[partition]?.({ request, partition, keys, events, resolve, reject });
    });
}

/** Sends what it is given, together with what else it is given in this turn. */
type Lane = (asked: Asked) => void;

function lane(send: (group: readonly Asked[]) => Promise<void>): Lane {
  let waiting: Asked[] = [];
  let underWay = 0;
  let isComing = false;

  function begin(): void {
    isComing = false;
    while (waiting.length > 0 && underWay < atOnce) {
      const group = waiting.slice(0, fitting(waiting));
      waiting = waiting.slice(group.length);
      underWay++;
      void send(group).finally(() => {
        underWay--;
        begin();
      });
    }
  }

  return (asked) => {
    waiting.push(asked);
    if (isComing) return;
    isComing = true;
    setImmediate(begin);
  };
}

/** How many from the front go into one call. */
function fitting(waiting: readonly Asked[]): number {
  let events = 0;
  for (const [index, each] of waiting.entries()) {
    events += each.events;
    if (index > 0 && (index === most.appends || events > most.events)) return index;
  }
  return waiting.length;
}

/** Never rejects: each is told by itself. */
async function call(redis: Store['redis'], feedLength: number, group: readonly Asked[]): Promise<void> {
  try {
    const { keys, values } = argumentsOf(feedLength, group);
    const replies = (await redis.wsAppend(keys.length, ...keys, ...values)) as unknown[];
    for (const [index, asked] of group.entries()) settle(asked, replies[index]);
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}

/** As `append.lua` wants them. */
function argumentsOf(feedLength: number, group: readonly Asked[]) {
  const keys: string[] = [];
  const places = new Map<number, number>();
  for (const { partition, keys: of } of group) {
    if (places.has(partition)) continue;
    places.set(partition, places.size + 1);
    keys.push(of.feed, of.partition, of.timers, of.nodes, of.open);
  }
  const values: (string | number)[] = [globalKeys.doorbell, feedLength, commandMemoryMs, missingLimit];
  values.push(newEpoch(), places.size, ...places.keys());
  for (const { request, partition, keys: of } of group) {
    const flags = addKeys(keys, of, request);
    values.push(places.get(partition) ?? 0, request.workshopId, request.base, request.epoch ?? '');
    values.push(request.deadline, request.node, flags, request.commands.length);
    for (const command of request.commands) addCommand(values, command);
  }
  return { keys, values };
}

function settle({ resolve, reject }: Asked, reply: unknown): void {
  try {
    resolve(placed(reply));
  } catch (error) {
    reject(error);
  }
}

/** Adds the keys that this append needs beside those of its partition; answers with the flags that say which. */
function addKeys(keys: string[], of: PartitionKeys, { workshopId, base, commands, wakes }: Append): string {
  const { events, meta, done, holds, staging } = of.workshop(workshopId);
  keys.push(events, meta, ...done);
  let flags = wakes ? 'w' : '';
  if (commands.some(({ unlessHeld }) => unlessHeld !== undefined)) {
    keys.push(holds);
    flags += 'h';
  }
  if (base === 0) {
    keys.push(staging('first'));
    flags += 'a';
  }
  return flags;
}

function addCommand(values: (string | number)[], command: DraftCommand): void {
  const { by, commandId, fingerprint, remember, unlessHeld, leaves, reads, events } = command;
  values.push(by, commandId, fingerprint, remember ? '1' : '0', unlessHeld ?? '', leaves ? '1' : '');
  values.push(reads.length, ...reads, events.length);
  for (const { eventId, type, schema, data, marks } of events)
    values.push(eventId, type, schema, data, marks.length, ...marks);
}

/** What the script returns for an append. Its shape is the script's promise: checking every reply would cost more than reading it. */
type Reply =
  | ['appended', string, string, string, string, unknown[], string]
  | ['conflict', string, string, unknown[]]
  | ['done', (string | number)[], unknown[]]
  | ['held', number[]]
  | ['epoch', string, string]
  | ['late']
  | ['failed', string];

function placed(reply: unknown): Placed {
  const told = reply as Reply;
  if (told[0] !== 'appended') return { answer: refused(told), sequence: 0 };
  const [kind, from, to, at, epoch, missing, sequence] = told;
  const answer = {
    ...{ kind, from: Number(from), to: Number(to), at: Number(at), epoch },
    missing: recordedEvents(missing),
  };
  return { answer, sequence: Number(sequence) };
}

function refused(reply: Exclude<Reply, ['appended', ...unknown[]]>): Appended {
  switch (reply[0]) {
    case 'conflict': {
      const [kind, version, epoch, missing] = reply;
      return { kind, version: Number(version), epoch, missing: recordedEvents(missing) };
    }
    case 'done': {
      const [kind, list, missing] = reply;
      const commands = [];
      for (let index = 0; index < list.length; index += 3)
        commands.push({
          index: Number(list[index]),
          version: Number(list[index + 1]),
          fingerprint: String(list[index + 2]),
        });
      return { kind, commands, missing: recordedEvents(missing) };
    }
    case 'held':
      return { kind: 'held', commands: reply[1] };
    case 'epoch':
      return { kind: 'epoch', epoch: reply[1], version: Number(reply[2]) };
    case 'late':
      return { kind: 'late' };
    case 'failed':
      throw new Error(`Redis refused an append: ${reply[1]}`);
  }
}
