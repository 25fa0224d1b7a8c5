import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandNames, commandOf } from '../../src/domain/catalog.ts';
import { clusterSettings, type Guest, liveWorkshop, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

let server: TestServer;
let workshopId: number;
let host: Guest;
let other: Guest;

beforeAll(async () => {
  server = await testServer(await clusterSettings());
  workshopId = await liveWorkshop(server, [2, 3]);
  host = await server.connect(1);
  other = await server.connect(2);
  for (const guest of [host, other]) await guest.say('join', { workshopId });
});
afterAll(() => server.close());

const socketCommands = commandNames.filter((name) => commandOf(name).via === 'socket');

async function length(): Promise<number> {
  return (await server.rest(1, 'GET', `/api/workshops/${workshopId}`)).body.version;
}

describe('a payload', () => {
  it('[E1] that is wrong is answered with the path of what is wrong, and appends nothing', async () => {
    const before = await length();
    const wrong: [string, unknown, string][] = [
      ['chat', { workshopId }, 'message'],
      ['chat', { workshopId, message: 7 }, 'message'],
      ['chat', { workshopId, message: '   ' }, 'message'],
      ['chat', { workshopId, message: 'x'.repeat(1_001) }, 'message'],
      ['chat', { workshopId, message: 'a\u0000b' }, 'message'],
      ['chat', { workshopId, message: 'a\ud800' }, 'message'],
      ['chat', { workshopId: '1', message: 'x' }, 'workshopId'],
      ['chat', { workshopId: -1, message: 'x' }, 'workshopId'],
      ['chat', { workshopId: 1.5, message: 'x' }, 'workshopId'],
      ['chat', { workshopId, message: 'x', commandId: 'not a uuid' }, 'commandId'],
      ['approve-speaker', { workshopId, targetUserId: null }, 'targetUserId'],
      ['remove-user', { workshopId, targetUserId: 2, reason: 'x'.repeat(501) }, 'reason'],
      ['join', { workshopId, after: { version: -1, epoch: 'x' } }, 'after.version'],
      ['delete-chat', { workshopId, messageId: 2 ** 60 }, 'messageId'],
    ];
    for (const [name, payload, path] of wrong) {
      const reply = await host.ask(`workshop:${name}`, payload);
      expect(reply).toMatchObject({ ok: false, error: { code: 'invalid_payload', retryable: false } });
      expect(reply.error.message).toContain(`${path}:`);
    }
    for (const nothing of [undefined, null, 7, 'text', [], true])
      expect(await host.ask('workshop:raise-hand', nothing)).toMatchObject({
        error: { code: 'invalid_payload' },
      });
    expect(await length()).toBe(before);
  });

  it('[E2] of 1,000 characters of any script is taken, trimmed, as it is', async () => {
    const message = '👩‍🚀é漢\t\n'.repeat(250).slice(0, -2);
    const points = [...message.trim()].slice(0, 1_000).join('').trim();
    const reply = await host.ask('workshop:chat', { workshopId, message: `  ${points} ` });
    expect(reply).toMatchObject({ ok: true });
    const heard = await other.hears('chat-message', ({ id }) => id === reply.version);
    expect(heard.message).toBe(points);
  });

  it('[E3] may have fields that nobody knows, and poisons nothing', async () => {
    const payload = JSON.parse(
      `{"workshopId":${workshopId},"message":"hi","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"role":"host"}`,
    );
    const reply = await other.ask('workshop:chat', payload);
    expect(reply).toMatchObject({ ok: true });
    const heard = await host.hears('chat-message', ({ id }) => id === reply.version);
    expect(heard).not.toHaveProperty('role');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('[E4] of any shape at all gets an answer, to every command', { timeout: 60_000 }, async () => {
    const before = await length();
    const value = fc.oneof(fc.anything({ maxDepth: 3 }), fc.jsonValue());
    const payload = fc.oneof(
      value,
      fc.record({
        workshopId: fc.oneof(fc.constant(workshopId + 1_000), value),
        targetUserId: value,
        message: value,
        after: value,
      }),
    );
    const asked = fc.asyncProperty(fc.constantFrom(...socketCommands), payload, async (name, given) => {
      const sendable = JSON.parse(
        JSON.stringify([given], (_, each) => (typeof each === 'bigint' ? `${each}` : each)),
      )[0];
      const reply = await host.ask(`workshop:${name}`, sendable);
      expect(reply).toMatchObject({ ok: false });
      expect(['invalid_payload', 'not_found']).toContain(reply.error.code);
    });
    await fc.assert(asked, { numRuns: 300 });
    expect(await length()).toBe(before);
  });

  it('[E5] without an acknowledgement is refused by an error that names the command', async () => {
    other.socket.emit('workshop:promote-cohost', { workshopId, targetUserId: 3 });
    expect(await other.hears('error')).toMatchObject({
      command: 'promote-cohost',
      code: 'forbidden',
      retryable: false,
    });
  });

  it('[E6] to a command that is not one, or is the server’s own, is refused', async () => {
    expect(await other.ask('workshop:dance', { workshopId })).toMatchObject({
      error: { code: 'unknown_command' },
    });
    expect(await other.ask('nonsense', 1, 2, 3)).toMatchObject({ error: { code: 'unknown_command' } });
    for (const name of [
      'start',
      'rsvp',
      'drop-user',
      'rejoin-user',
      'withdraw-message',
      '__proto__',
      'toString',
    ])
      expect(await other.ask(`workshop:${name}`, { workshopId, userId: 3 })).toMatchObject({
        error: { code: 'unknown_command' },
      });
    expect(await host.ask('workshop:state-change', { workshopId, status: 'ended' })).toMatchObject({
      error: { code: 'forbidden' },
    });
  });

  it('[E7] above 64 KiB closes the socket that sent it, and nobody else notices', async () => {
    const loud = await server.connect(3);
    await loud.say('join', { workshopId });
    loud.socket.emit('workshop:chat', { workshopId, message: 'x'.repeat(66_000) });
    await until(() => !loud.socket.connected, { what: 'the loud socket to be closed' });
    expect(await host.say('chat', { workshopId, message: 'all well' })).toMatchObject({ ok: true });
    expect(other.socket.connected).toBe(true);
    const roomy = { workshopId, message: 'x'.repeat(60_000) };
    expect(await host.ask('workshop:chat', roomy)).toMatchObject({ error: { code: 'invalid_payload' } });
  });
});

describe('a command id', () => {
  it('[E8] of a command that was done makes a wrong payload a conflict, not an invalid one', async () => {
    const commandId = '7b7e1c52-3d5e-4d0f-9a52-0a3a3f3b9d11';
    await host.say('chat', { workshopId, message: 'once', commandId });
    expect(await host.ask('workshop:chat', { workshopId, commandId })).toMatchObject({
      error: { code: 'conflict' },
    });
    const again = await host.ask('workshop:chat', {
      workshopId,
      message: 'once',
      commandId: commandId.toUpperCase(),
    });
    expect(again).toMatchObject({ ok: true, changed: true });
    expect(host.all('chat-message').filter(({ message }) => message === 'once')).toHaveLength(1);
  });

  it('[E8] says nothing about a wrong payload of joining and leaving, which repeat by themselves', async () => {
    const commandId = '7b7e1c52-3d5e-4d0f-9a52-0a3a3f3b9d12';
    await host.say('chat', { workshopId, message: 'for its id', commandId });
    for (const payload of [{ after: 'yesterday' }, { batch: 'yes' }])
      expect(await host.ask('workshop:join', { workshopId, commandId, ...payload })).toMatchObject({
        error: { code: 'invalid_payload' },
      });
    expect(await host.ask('workshop:join', { workshopId, commandId })).toMatchObject({ ok: true });
  });
});
