/** Events of workshops in Redis, and what was done under which command id: appending, reading, checking. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  type Append,
  type Appended,
  type Check,
  type CommandMemory,
  commandMemoryMs,
  maxEventsPerAppend,
  missingLimit,
  type WorkshopEvents,
} from '../log.ts';
import { recordedEvents } from './decode.ts';
import { type OwnAppend, ownEntry } from './ownAppends.ts';
import type { Store } from './store.ts';

export function redisEvents(store: Store, feedLength: number): WorkshopEvents {
  const { redis, reads, of, own, partitionOf, doubtClock } = store;
  return {
    async append(request) {
      const ended = own.begin(partitionOf(request.workshopId));
      let appendedHere: OwnAppend | undefined;
      try {
        const { answer, sequence } = await sent(request);
        if (answer.kind === 'appended') appendedHere = { sequence, entry: ownEntry(request, answer) };
        if (answer.kind === 'late') doubtClock();
        return answer;
      } finally {
        ended(appendedHere);
      }
    },
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
    async newEpoch(workshopId, instead) {
      return String(await redis.wsEpoch(of(workshopId).workshop(workshopId).meta, instead, newEpoch()));
    },
  };

  async function sent(request: Append): Promise<{ answer: Appended; sequence: number }> {
    const keys = of(request.workshopId);
    const workshop = keys.workshop(request.workshopId);
    const reply = await redis.wsAppend(
      ...[workshop.events, workshop.meta, ...workshop.done, keys.feed, keys.partition, keys.timers],
      ...[workshop.holds, keys.nodes, keys.open, workshop.staging('first')],
      ...appendArguments(request, feedLength, keys.doorbell),
    );
    const parsed = appendReply.parse(reply);
    return { answer: appended(parsed), sequence: parsed[0] === 'appended' ? Number(parsed[6]) : 0 };
  }
}

export function redisCommands({ redis, of }: Store): CommandMemory {
  return {
    async check(workshopId, after, by, commandId) {
      const { events, meta, done } = of(workshopId).workshop(workshopId);
      const asked = commandId === null ? '' : `${by}:${commandId}`;
      const reply = await redis.wsCheck(events, meta, ...done, after, asked, missingLimit);
      const [version, epoch, found, missing] = checkReply.parse(reply);
      return {
        version: Number(version),
        epoch,
        done: doneValue(found),
        missing: recordedEvents(missing),
      };
    },
  };
}

/** Opaque to everyone. */
export function newEpoch(): string {
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
const headReply = z.union([z.tuple([z.string(), z.string(), z.string()]), z.tuple([])]);
const checkReply = z.tuple([z.string(), z.string(), z.string(), entries]);
const appendReply = z.union([
  z.tuple([z.literal('appended'), z.string(), z.string(), z.string(), z.string(), entries, z.string()]),
  z.tuple([z.literal('conflict'), z.string(), z.string(), entries]),
  z.tuple([z.literal('done'), z.array(z.union([z.string(), z.number()])), entries]),
  z.tuple([z.literal('held'), z.array(z.number())]),
  z.tuple([z.literal('epoch'), z.string(), z.string()]),
  z.tuple([z.literal('late')]),
]);

function appended(reply: z.infer<typeof appendReply>): Appended {
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
