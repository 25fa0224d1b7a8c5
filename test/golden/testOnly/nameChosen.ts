/**
 * A type of event that tests alone know, and that has had two schemas: the first upcast there is. Importing this adds it to the
 * catalog of the importing test; the examples beside it are golden like any other.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { events } from '../../../src/domain/catalog.ts';
import { defineEvent } from '../../../src/domain/define.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { memberOf } from '../../../src/domain/room.ts';
import { nobody } from '../../../src/domain/text.ts';

interface Schema1 {
  who: number;
  name: string;
}

interface Schema2 {
  userId: number;
  displayName: string;
  avatarUrl: string | null;
}

export const nameChosen = defineEvent({
  type: 'name-chosen',
  schema: 2,
  upcasts: [
    {
      upcast: ({ who, name }: Schema1): Schema2 => ({ userId: who, displayName: name, avatarUrl: null }),
      redact: (data: Schema1) => ({ ...data, name: '' }),
      erase: (data: Schema1, userId) => (data.who === userId ? { ...data, name: nobody.displayName } : data),
    },
  ],
  data: z.object({ userId: z.number(), displayName: z.string(), avatarUrl: z.string().nullable() }),
  marks: (data) => [`user:${data.userId}`],
  evolve(room, { userId, displayName, avatarUrl }) {
    Object.assign(memberOf(room, userId), { displayName, avatarUrl });
  },
  redact: (data) => ({ ...data, displayName: '' }),
  erase: (data, userId) => (data.userId === userId ? { ...data, ...nobody } : data),
});

Object.assign(events, { [nameChosen.type]: nameChosen });

const example = (file: string): RecordedEvent =>
  JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));

/** What makes the workshop, a name as it was recorded under schema 1, and one under schema 2. */
export const scheduled = example('../workshop-scheduled.1.json');
export const chosen1 = example('name-chosen.1.json');
export const chosen2 = example('name-chosen.2.json');
/** The first one as it reads today. */
export const chosen1Now: RecordedEvent = {
  ...{ ...chosen1, schema: 2 },
  data: { userId: 5, displayName: 'Ana', avatarUrl: null },
};
/** As a newer version of the program may record it. */
export const chosen3: RecordedEvent = {
  ...{ ...chosen2, version: 4, eventId: '019cade4-5e80-7000-8000-000000000104', schema: 3 },
  data: { userId: 5, names: { shown: 'Ana', said: 'An-na' } },
};
