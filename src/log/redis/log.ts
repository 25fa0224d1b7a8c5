/**
 * The event log on Redis Streams. One script appends, at Redis' own time; readers follow the feeds of the partitions.
 *
 * Durable as Redis is set up to be: with `appendfsync always` an acknowledged append survives a killed process and a power
 * cut, with `everysec` up to about two seconds of them may be lost. Also right on Redis Cluster: all keys of a call share a
 * slot.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Append, Appended, Check, EventLog } from '../log.ts';
import { commandMemoryMs, maxEventsPerAppend, missingLimit } from '../log.ts';
import { redisClock } from './clock.ts';
import { connect, type RedisAddress } from './connect.ts';
import { recordedEvents } from './decode.ts';
import { feedReader } from './feedReader.ts';
import { globalKeys, partitionKeys, partitionTags } from './keys.ts';
import { redisPresence } from './presence.ts';
import { refillStream } from './refill.ts';
import { removeStream } from './remove.ts';
import { rewriteStream } from './rewrite.ts';
import { withScripts } from './scripts.ts';
import { redisTail } from './tail.ts';

const requestMemoryMs = 24 * 60 * 60_000;

export interface RedisLogOptions {
  address: RedisAddress;
  /** Only for a fresh store: the number is kept there and can't be changed afterwards. */
  partitions?: number;
  /** Appends that a partition's feed keeps, roughly; readers that fall further behind read the streams themselves. */
  feedLength?: number;
  /**
   * The highest workshop id that is known elsewhere; asked for where Redis may have lost ids that it gave out. Rejects while
   * that cannot be told.
   */
  highestId?(): Promise<number>;
  onError(error: Error): void;
}

export async function redisLog(options: RedisLogOptions): Promise<EventLog> {
  const { address, onError, feedLength = 10_000, highestId = async () => 0 } = options;
  const redis = withScripts(await connect(address, 'commands', onError));
  const reads = await connect(address, 'reads', onError);
  const doorbell = await connect(address, 'doorbell', onError);
  // Every tail listens on these two: a projector has one for each partition.
  for (const shared of [reads, doorbell]) shared.setMaxListeners(0);

  await redis.hsetnx(globalKeys.settings, 'partitions', options.partitions ?? 64);
  const partitions = Number(await redis.hget(globalKeys.settings, 'partitions'));
  const all = partitionTags(partitions).map(partitionKeys);
  const keysOf = (partition: number) => {
    const keys = all[partition];
    if (keys === undefined) throw new Error(`there is no partition ${partition} of ${partitions}`);
    return keys;
  };
  const partitionOf = (workshopId: number) => workshopId % partitions;
  const of = (workshopId: number) => keysOf(partitionOf(workshopId));
  const clock = await redisClock(redis);
  const feeds = feedReader(reads);

  async function append(request: Append): Promise<Appended> {
    const keys = of(request.workshopId);
    const workshop = keys.workshop(request.workshopId);
    const reply = await redis.wsAppend(
      ...[workshop.events, workshop.meta, ...workshop.done, keys.feed, keys.partition, keys.timers],
      ...[workshop.holds, keys.nodes, keys.open],
      ...appendArguments(request, feedLength, keys.doorbell),
    );
    return appended(reply);
  }

  async function raiseIds(above: number): Promise<void> {
    await redis.wsRaise(globalKeys.nextId, globalKeys.idsRun, above);
  }

  return {
    kind: 'redis',
    partitions,
    partitionOf,
    now: clock.now,
    append,
    async read(workshopId, after, limit) {
      const { events } = of(workshopId).workshop(workshopId);
      return recordedEvents(await reads.xrange(events, `${after + 1}-0`, '+', 'COUNT', limit));
    },
    async head(workshopId) {
      const { events, meta } = of(workshopId).workshop(workshopId);
      const reply = headReply.parse(await redis.wsHead(events, meta));
      if (reply.length === 0) return null;
      const [version, epoch, past] = reply;
      return { version: Number(version), epoch, past: pastEpochs(past) };
    },
    async check(workshopId, after, by, commandId): Promise<Check> {
      const { events, meta, done } = of(workshopId).workshop(workshopId);
      const asked = commandId === null ? '' : `${by}:${commandId}`;
      const reply = await redis.wsCheck(events, meta, ...done, after, asked, missingLimit);
      const [version, epoch, found, missing] = checkReply.parse(reply);
      return { version: Number(version), epoch, done: doneValue(found), missing: recordedEvents(missing) };
    },
    async newEpoch(workshopId, instead) {
      return String(await redis.wsEpoch(of(workshopId).workshop(workshopId).meta, instead, newEpoch()));
    },
    refill(workshopId, pages) {
      const keys = of(workshopId);
      return refillStream({ redis, keys, workshopId, now: clock.now(), epoch: newEpoch() }, pages);
    },
    remove: (workshopId, last) => removeStream({ redis, keys: of(workshopId), workshopId }, last),
    rewrite(workshopId, rewriting) {
      const keys = of(workshopId);
      return rewriteStream({ redis, reads, keys, workshopId, epoch: newEpoch() }, rewriting);
    },
    async announce(workshopId) {
      const keys = of(workshopId);
      const { meta } = keys.workshop(workshopId);
      await redis.wsAnnounce(keys.feed, keys.partition, meta, workshopId, keys.doorbell);
    },
    tail: (tailOptions) => redisTail({ reads, feeds, doorbell, keys: keysOf }, tailOptions),
    async open(partition) {
      const keys = keysOf(partition);
      const ids = (await reads.smembers(keys.open)).map(Number);
      const versions = await Promise.all(ids.map((id) => reads.hget(keys.workshop(id).meta, 'version')));
      return new Map(ids.map((id, index) => [id, Number(versions[index] ?? 0)]));
    },
    async allocate(request) {
      const asked = request ? globalKeys.asked(request.userId, request.key) : globalKeys.ping;
      const fingerprint = request?.fingerprint ?? '';
      const memory = request ? requestMemoryMs : 0;
      const keys = [globalKeys.nextId, globalKeys.idsRun, asked];
      for (;;) {
        const [id, first = ''] = allocateReply.parse(await redis.wsAllocate(...keys, fingerprint, memory));
        if (id !== undefined) return { workshopId: Number(id), fingerprint: first };
        await raiseIds(await highestId());
      }
    },
    raiseIds,
    presence: redisPresence({ redis, all, of, now: clock.now }),
    timers: {
      async due(limit) {
        const found = await Promise.all(
          all.map((keys) => redis.zrangebyscore(keys.timers, '-inf', clock.now(), 'LIMIT', 0, limit)),
        );
        return found.flat().slice(0, limit).map(Number);
      },
      async set(workshopId, at, version) {
        const keys = of(workshopId);
        await redis.wsTimer(keys.workshop(workshopId).meta, keys.timers, workshopId, at ?? '', version);
      },
    },
    async ping() {
      // A write: a replica, a full disk and a full memory all refuse it.
      await redis.set(globalKeys.ping, '1', 'PX', 10_000);
    },
    async close() {
      clock.close();
      for (const connection of [redis, reads, doorbell]) connection.disconnect();
    },
  };
}

/** Opaque to everyone. */
function newEpoch(): string {
  return randomUUID().slice(0, 8);
}

function appendArguments(request: Append, feedLength: number, doorbell: string): (string | number)[] {
  const events = request.commands.reduce((sum, command) => sum + command.events.length, 0);
  // Beyond this Lua cannot unpack the arguments of one XADD.
  if (events > maxEventsPerAppend)
    throw new RangeError(`an append holds ${maxEventsPerAppend} events at most`);
  const list: (string | number)[] = [
    request.workshopId,
    request.base,
    request.epoch ?? '',
    request.deadline,
    feedLength,
    doorbell,
    request.node,
    request.wakes ? '1' : '',
    commandMemoryMs,
    missingLimit,
    newEpoch(),
    request.commands.length,
  ];
  for (const command of request.commands) {
    list.push(command.by, command.commandId, command.fingerprint, command.remember ? '1' : '0');
    list.push(command.unlessHeld ?? '', command.leaves ? '1' : '');
    list.push(command.reads.length, ...command.reads, command.events.length);
    for (const event of command.events) {
      list.push(event.eventId, event.type, event.schema, event.data, event.marks.length, ...event.marks);
    }
  }
  return list;
}

const entries = z.array(z.unknown());
const none = z.tuple([]);
const headReply = z.union([z.tuple([z.string(), z.string(), z.string()]), none]);
const allocateReply = z.union([z.tuple([z.string(), z.string()]), none]);
const checkReply = z.tuple([z.string(), z.string(), z.string(), entries]);
const appendReply = z.union([
  z.tuple([z.literal('appended'), z.string(), z.string(), z.string(), z.string(), entries]),
  z.tuple([z.literal('conflict'), z.string(), z.string(), entries]),
  z.tuple([z.literal('done'), z.array(z.union([z.string(), z.number()])), entries]),
  z.tuple([z.literal('held'), z.array(z.number())]),
  z.tuple([z.literal('epoch'), z.string(), z.string()]),
  z.tuple([z.literal('late')]),
]);

function appended(raw: unknown): Appended {
  const reply = appendReply.parse(raw);
  switch (reply[0]) {
    case 'appended': {
      const [kind, from, to, at, epoch, missing] = reply;
      return {
        kind,
        from: Number(from),
        to: Number(to),
        at: Number(at),
        epoch,
        missing: recordedEvents(missing),
      };
    }
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
  }
}

/** `<epoch>:<version>,…` as the scripts keep it. */
function pastEpochs(text: string): Map<string, number> {
  const ends = text === '' ? [] : text.split(',').map((each) => each.split(':'));
  return new Map(ends.map(([epoch = '', version]) => [epoch, Number(version)]));
}

/** `<version>:<fingerprint>` as the scripts keep it. */
function doneValue(value: string): Check['done'] {
  if (value === '') return null;
  const colon = value.indexOf(':');
  return { version: Number(value.slice(0, colon)), fingerprint: value.slice(colon + 1) };
}
