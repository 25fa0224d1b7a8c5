/** The table of the domain over real sockets: every command, by every role, in every status, in public and in private workshops. */
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CommandName,
  commandNames,
  commandOf,
  type EventType,
  eventOf,
} from '../../src/domain/catalog.ts';
import { type Status, statuses, type Visibility } from '../../src/domain/room.ts';
import type { EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { expected, expectedInPrivate, type Role, type Row, roles } from '../domain/expectations.ts';
import { aim, beginning, until as history, letters, people } from '../domain/table.ts';
import { clusterSettings, type Guest, type Json, type TestServer, testServer } from '../kit/server.ts';

let server: TestServer;
let log: EventLog;
const guests = new Map<Role, Guest>();

beforeAll(async () => {
  const settings = await clusterSettings();
  server = await testServer({ ...settings, RATE_LIMIT_SCALE: '0' });
  log = await redisLog({ address: { url: settings.REDIS_URL ?? '' }, onError: () => undefined });
  for (const role of roles) {
    const { userId: id, displayName: name } = people[role];
    guests.set(role, await server.connect({ id, name }));
  }
}, 60_000);
afterAll(async () => {
  await server.close();
  await log.close();
});

/** A workshop in which all of that has happened; as the log alone has it, nobody is connected. */
async function workshop(visibility: Visibility, status: Status): Promise<number> {
  const { workshopId } = await log.ids.allocate();
  const events = [...beginning(visibility), ...history[status]].map(({ type, data }) => {
    const { schema, marks } = eventOf(type as EventType);
    return { eventId: v7(), type, schema, data: JSON.stringify(data), marks: marks(data) };
  });
  const command = { by: 1, commandId: v7(), fingerprint: '', remember: false, reads: [], events };
  await log.events.append({
    workshopId,
    base: 0,
    deadline: log.now() + 5_000,
    commands: [command],
    node: 'history',
  });
  return workshopId;
}

function letterOf(reply: Json): string {
  if (reply.ok) return reply.changed ? '+' : '=';
  return letters[reply.error.code] ?? reply.error.code;
}

async function answer(
  name: CommandName,
  role: Role,
  visibility: Visibility,
  status: Status,
): Promise<string> {
  const workshopId = await workshop(visibility, status);
  const guest = guests.get(role);
  // Who is in the room by the log is not in it with this socket, which is what leaving asks for.
  if (
    name === 'leave' &&
    expected.leave[role].startsWith('+') &&
    status !== 'ended' &&
    status !== 'cancelled'
  )
    await guest?.say('join', { workshopId });
  return letterOf(await guest?.ask(`workshop:${name}`, { workshopId, ...aim[name] }));
}

async function rowOf(name: CommandName, visibility: Visibility): Promise<Row> {
  const rows = roles.map(async (role) => {
    let row = '';
    for (const status of statuses) row += await answer(name, role, visibility, status);
    return [role, row];
  });
  return Object.fromEntries(await Promise.all(rows));
}

describe('what a socket is answered in every role and status', () => {
  const commands = commandNames.filter((name) => commandOf(name).via === 'socket');

  it.each(commands)('[S24] to %s in a public workshop', async (name) => {
    expect(await rowOf(name, 'public')).toEqual(expected[name]);
  });

  it.each(commands)('[S24] to %s in a private workshop', async (name) => {
    expect(await rowOf(name, 'private')).toEqual(expectedInPrivate(name));
  });

  it.each(commands)(
    '[S24] to %s is byte for byte the same of a private and of a missing one, for a stranger',
    async (name) => {
      const hidden = await workshop('private', 'live');
      const [known, unknown] = await Promise.all(
        [hidden, 987_654_321].map((workshopId) =>
          guests.get('stranger')?.ask(`workshop:${name}`, { workshopId, ...aim[name] }),
        ),
      );
      expect(JSON.stringify(known)).toBe(JSON.stringify(unknown));
      expect(known.error.code).toBe('not_found');
    },
  );
});
