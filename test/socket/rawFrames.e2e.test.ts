/**
 * Frames that no client library sends, to a real process: what has crashed or filled servers of this kind before, and what
 * looks like it. The process lives, others do not notice, and who broke the protocol is cut off.
 */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frame, type RawSocket, rawSocket, upgradedConnection } from '../kit/rawSocket.ts';
import { clusterSettings, type Guest, guestOn, token } from '../kit/server.ts';
import { type Serving, serving } from '../kit/serving.ts';
import { until } from '../kit/until.ts';

let server: Serving;
let workshopId: number;
let witness: Guest;
let idle: RawSocket[];
let idleSince: number;

beforeAll(async () => {
  server = await serving({ ...(await clusterSettings()), LOG_LEVEL: 'warn' });
  const plan = { title: 'Sourdough', scheduledAt: new Date().toISOString() };
  workshopId = (await server.rest(1, 'POST', '/api/workshops', plan)).body.id;
  await server.rest(2, 'POST', `/api/workshops/${workshopId}/rsvp`);
  await server.rest(1, 'POST', `/api/workshops/${workshopId}/start`);
  witness = guestOn(server.url, 1, { token: await token({ id: 1 }) });
  await until(() => witness.socket.connected, { what: 'the witness to be connected' });
  await witness.say('join', { workshopId });
  idleSince = performance.now();
  idle = await Promise.all(Array.from({ length: 200 }, () => rawSocket(server.url)));
}, 60_000);

afterAll(async () => {
  for (const socket of idle) socket.close();
  witness.close();
  await server.close();
});

/** After each of them: the same process serves, and the room of the others goes on. */
afterEach(async () => {
  const message = `all well ${Math.random()}`;
  expect(await witness.say('chat', { workshopId, message })).toMatchObject({ ok: true, changed: true });
  await witness.hears('chat-message', (heard) => heard.message === message);
  expect(witness.socket.connected).toBe(true);
  expect(server.process.isRunning()).toBe(true);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

const signedIn = async () => rawSocket(server.url, await token({ id: 2 }));
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** What breaks the protocol, and ends the socket that sends it. */
const breaking: [string, (string | Buffer)[]][] = [
  [
    'a placeholder that names a method',
    ['451-/workshop,["x",{"_placeholder":true,"num":"splice"}]', Buffer.from('x')],
  ],
  [
    'a placeholder beyond what is attached',
    ['451-/workshop,["x",{"_placeholder":true,"num":9}]', Buffer.from('x')],
  ],
  [
    'a placeholder that names a method, to no namespace',
    ['451-["x",{"_placeholder":true,"num":"splice"}]', Buffer.from('x')],
  ],
  ['an event whose name is an object', ['42[{"toString":"foo"}]']],
  ['an event of the namespace whose name is an object', ['42/workshop,[{"toString":"foo"}]']],
  ['eleven attachments', ['4511-/workshop,["x"]']],
  ['a thousand million attachments', ['451000000000-/workshop,["x"]']],
  [
    'text where an attachment belongs',
    ['451-/workshop,["x",{"_placeholder":true,"num":0}]', '42/workshop,["x"]'],
  ],
  ['an attachment of nothing', [Buffer.from('nothing asked for this')]],
  ['an event of nothing', ['42/workshop,[]']],
  ['an event that is no list', ['42/workshop,{"0":"workshop:chat"}']],
  ['a reserved event', ['42/workshop,["disconnect"]']],
  ['JSON that is none', ['42/workshop,["workshop:chat",{]']],
  ['a packet of no known type', ['49/workshop,["x"]']],
  ['an Engine.IO packet of no known type', ['x']],
  ['an event to a namespace that it is not in', ['42/admin,["x"]']],
  ['its leaving of the namespace, which would leave it connected for nothing', ['41/workshop,']],
  ['a second sign-in', ['40/workshop,{"token":"x"}']],
  ['a message of 64 KiB and one byte', [`4${'x'.repeat(65_536)}`]],
];

/** What is no more than nonsense: it is answered or passed over, and the socket goes on. */
const strange: [string, string, RegExp | undefined][] = [
  ['an event whose name is a number', '42/workshop,1[7,{}]', /^43\/workshop,1\[\{"ok":false/],
  ['an event whose name is a number, unanswered', '42/workshop,[0]', /workshop:error.*unknown_command/],
  ['an event called error', '42/workshop,["error",{"message":"x"}]', /workshop:error.*unknown_command/],
  ['an event called __proto__', '42/workshop,2["__proto__",{"polluted":true}]', /unknown_command/],
  ['a command called constructor', '42/workshop,3["workshop:constructor",{}]', /unknown_command/],
  [
    'a payload that reaches for the prototype',
    '42/workshop,4["workshop:chat",{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}]',
    /invalid_payload/,
  ],
  ['JSON 10,000 levels deep', `42/workshop,5["workshop:chat",${deep(10_000)}]`, /invalid_payload/],
  ['an acknowledgement that nobody asked for', '43/workshop,7["x"]', undefined],
  ['a namespace that is not there', '40/__proto__,{}', /Invalid namespace/],
];

describe('a socket that sends', () => {
  it.each(breaking)('[S17] %s is cut off', async (_, frames) => {
    const offender = await signedIn();
    for (const each of frames) offender.send(each);
    await offender.closed();
  });

  it.each(strange)('[S17] %s is answered, and stays', async (_, sent, answer) => {
    const offender = await signedIn();
    offender.send(sent);
    if (answer !== undefined)
      await until(() => offender.heard.some((each) => answer.test(each)), {
        what: `an answer like ${answer}`,
      });
    offender.send('42/workshop,99["workshop:leave",{"workshopId":404}]');
    await until(() => offender.heard.some((each) => each.startsWith('43/workshop,99')), {
      what: 'a last answer',
    });
    offender.close();
  });

  it.each([
    ['a token that is no text', '{"token":{"toString":1}}'],
    ['a token that is a list', '{"token":["a"]}'],
    ['a prototype', '{"__proto__":{"token":"x"}}'],
    ['a token of 16 kB', `{"token":"${'x'.repeat(16_384)}"}`],
    ['no token', ''],
  ])('[S1] %s to sign in with is unauthenticated', async (_, auth) => {
    const raw = await rawSocket(server.url);
    raw.send(`40/workshop,${auth}`);
    await until(() => raw.heard.some((each) => each.startsWith('44/workshop')), { what: 'the refusal' });
    const wanted = { code: 'unauthenticated', message: 'sign in first', retryable: false };
    const told = JSON.parse(raw.heard.find((each) => each.startsWith('44/workshop'))?.slice(12) ?? '');
    expect(told).toEqual({ message: 'unauthenticated', data: wanted });
    raw.close();
  });
});

describe('a connection that sends', () => {
  it('[S17] 100,000 fragments of one byte is cut off', async () => {
    const connection = await upgradedConnection(server.url);
    connection.write(frame('4', { final: false }));
    const fragment = frame('x', { opcode: 0, final: false });
    for (let sent = 0; sent < 100 && !connection.destroyed; sent++)
      connection.write(Buffer.concat(Array.from({ length: 1_000 }, () => fragment)));
    await until(() => connection.destroyed, { what: 'the connection to be cut off' });
  });

  it.each([
    ['text that is not UTF-8', frame(Buffer.from([0x34, 0xc3, 0x28, 0xff]))],
    ['a frame of a reserved kind', frame('x', { opcode: 3 })],
    ['a frame without a mask', Buffer.from([0x81, 0x01, 0x34])],
    ['a length that no frame has', Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ])('[S17] %s is cut off', async (_, bytes) => {
    const connection = await upgradedConnection(server.url);
    connection.write(bytes);
    await until(() => connection.destroyed, { what: 'the connection to be cut off' });
  });

  it('[S17] more headers than are read is answered or cut off', async () => {
    for (const count of [2_000, 2_500]) {
      const { hostname, port } = new URL(server.url);
      const connection = connect(Number(port), hostname).resume();
      connection.on('error', () => undefined);
      const head = 'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n';
      connection.end(`${head}${'a: \r\n'.repeat(count)}upgrade: websocket\r\nsec-websocket-key: x\r\n\r\n`);
      await until(() => connection.destroyed, { what: 'the connection to be over' });
    }
  });
});

it('[S18] sockets that never sign in are gone after ten seconds', { timeout: 30_000 }, async () => {
  expect(idle).toHaveLength(200);
  await until(() => idle.every((socket) => socket.isClosed()), {
    what: 'idle sockets to be closed',
    timeout: 20_000,
  });
  expect(performance.now() - idleSince).toBeGreaterThan(9_000);
});

it('[S19] leaves no line in the log that is not JSON, and none that is an accident', () => {
  const serious = server.logged().filter(({ level }) => level >= 50);
  expect(serious).toEqual([]);
});
