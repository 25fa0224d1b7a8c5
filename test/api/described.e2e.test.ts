/** What the server says of itself: documents that others' tools take, and examples that are real. */
import { Parser } from '@asyncapi/parser';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandNames, commandOf, eventTypes } from '../../src/domain/catalog.ts';
import { wireName } from '../../src/protocol/wire.ts';
import { isAnswer, isDescribed } from '../kit/described.ts';
import { type Json, type TestServer, testServer } from '../kit/server.ts';

let server: TestServer;
let sockets: Json;
let rest: string;
beforeAll(async () => {
  server = await testServer({ PUBLIC_URL: 'https://example.org/rooms' });
  const text = async (path: string) => (await fetch(new URL(path, server.url))).text();
  sockets = JSON.parse(await text('/asyncapi.json'));
  rest = await text('/openapi.json');
}, 90_000);
afterAll(() => server.close());

describe('/asyncapi.json', () => {
  it('[I3] is a valid AsyncAPI document', { timeout: 60_000 }, async () => {
    expect(sockets.asyncapi).toBe('3.1.0');
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(sockets));
    // Warnings are advice on style, such as an id for the whole document.
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
    expect(document?.operations().length).toBe(Object.keys(sockets.operations).length);
  });

  it('[I3] names the address that PUBLIC_URL has', () => {
    expect(sockets.servers.this).toMatchObject({
      ...{ host: 'example.org', protocol: 'wss', pathname: '/rooms/socket.io/' },
    });
  });

  it('[I4] describes every command of sockets and every event, each with an example that fits', () => {
    const bySocket = commandNames.filter((name) => commandOf(name).via === 'socket');
    const { messages } = sockets.components;
    for (const name of [...bySocket, ...eventTypes]) expect(messages).toHaveProperty([name]);
    for (const [key, { examples }] of Object.entries<Json>(messages)) {
      expect(examples[0].payload, key).toBeTypeOf('object');
      if (key.endsWith('-answer')) continue;
      expect(() => isDescribed(wireName(key), examples[0].payload), key).not.toThrow();
    }
    for (const { messages: asked, reply } of Object.values<Json>(sockets.operations))
      for (const { $ref } of reply?.messages ?? []) {
        const [name, answer] = [asked[0].$ref, $ref].map((path) => messages[path.split('/').at(-1)]);
        expect(() => isAnswer(name.name, answer.examples[0].payload), name.name).not.toThrow();
      }
  });

  it('[I4] does not take for described what is not', () => {
    expect(() => isDescribed('workshop:hand-raised', { workshopId: 1, version: 2 })).toThrow(/not as/);
    expect(() => isDescribed('workshop:unheard-of', {})).toThrow();
    expect(() => isAnswer('workshop:chat', { ok: true })).toThrow(/not as/);
    expect(() => isAnswer('workshop:join', { ok: true, version: 1, changed: true })).toThrow(/not as/);
  });
});

describe('/openapi.json', () => {
  it('[I5] passes the linter', { timeout: 60_000 }, async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: rest, absoluteRef: 'openapi.json', config });
    expect(
      problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`),
    ).toEqual([]);
  });
});
