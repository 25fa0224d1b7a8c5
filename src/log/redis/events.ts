/** Events of workshops in Redis, and what was done under which command id: appending, reading, checking. */
import { z } from 'zod';
import { type Check, type CommandMemory, missingLimit, type WorkshopEvents } from '../log.ts';
import { appends } from './appends.ts';
import { recordedEvents } from './decode.ts';
import { type OwnAppend, ownEntry } from './ownAppends.ts';
import { newEpoch, type Store } from './store.ts';

export function redisEvents(store: Store, feedLength: number): WorkshopEvents {
  const { redis, reads, of, own, partitionOf, doubtClock } = store;
  const append = appends(store, feedLength);
  return {
    async append(request) {
      const ended = own.begin(partitionOf(request.workshopId));
      let appendedHere: OwnAppend | undefined;
      try {
        const { answer, sequence } = await append(request);
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

const entries = z.array(z.unknown());
const headReply = z.union([z.tuple([z.string(), z.string(), z.string()]), z.tuple([])]);
const checkReply = z.tuple([z.string(), z.string(), z.string(), entries]);

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
