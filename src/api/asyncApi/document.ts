/**
 * `/asyncapi.json`: the namespace `/workshop` as an AsyncAPI 3.1 document (https://www.asyncapi.com/docs/reference/specification/v3.1.0),
 * seen from the server: it receives commands and sends what a room is told. Socket.IO is no protocol that AsyncAPI knows: what
 * its packets add is said in words.
 */
import { z } from 'zod';
import { bareName, namespace } from '../../protocol/wire.ts';
import { example } from './example.ts';
import { answers, attendee, chatMessage, commands, events, type Message, notices } from './messages.ts';

type Json = Record<string, unknown>;

const description = `Everything that travels over the Socket.IO namespace \`/workshop\` (Socket.IO 4, its protocol 5). A message's
name is the Socket.IO event's name, its payload that event's one argument; an answer is the event's acknowledgement. Without an
acknowledgement a refusal comes as \`workshop:error\`.

The token goes into the handshake: \`io('/workshop', { auth: { token } })\`, or the cookie \`workshop_token\`.

After its \`join\` a socket gets \`workshop:state\`, and then every event of the workshop in the order of its versions, none missing and
none twice: as single messages, or with \`batch: true\` inside of \`workshop:events\`. Unknown messages and fields are to be ignored.`;

const keyOf = (name: string) => bareName(name) ?? name;
const answerKey = (kind: string) => `${kind}-answer`;
const channel = { $ref: '#/channels/workshop' };
const inChannel = (key: string) => ({ $ref: `#/channels/workshop/messages/${key}` });
const schemaAt = (key: string) => `#/components/schemas/${key}`;

/** Where the server is reached: its host with the port, and what stands before its paths. */
export interface Place {
  host: string;
  isEncrypted: boolean;
  basePath: string;
}

/** Makes the documents of one server: all but the place is made once. */
export function asyncApi(): (place: Place) => Json {
  let made: Json | undefined;
  return (place) => {
    made ??= document();
    return { ...made, servers: { this: serverAt(place) } };
  };
}

function serverAt({ host, isEncrypted, basePath }: Place): Json {
  return {
    ...{ host, protocol: isEncrypted ? 'wss' : 'ws', pathname: `${basePath}/socket.io/` },
    description: 'By WebSocket, or by HTTP long polling where there is none',
    security: [{ $ref: '#/components/securitySchemes/token' }],
  };
}

function document(): Json {
  const { payloads, answers: answered } = example();
  const asked = commands.map((each) => messageOf(each, payloads.get(keyOf(each.name))));
  const told = [...events, ...notices].map((each) => messageOf(each, payloads.get(keyOf(each.name))));
  const replies = Object.keys(answers).map((kind) => answerOf(kind, answered.get(kind)));
  const all = [...asked, ...told, ...replies];
  return {
    asyncapi: '3.1.0',
    info: {
      ...{ title: 'Workshop rooms: the live room', version: '1.0.0', description },
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: {
      workshop: {
        ...{ address: namespace, title: 'The namespace of all workshops' },
        messages: Object.fromEntries(all.map(([key]) => [key, { $ref: `#/components/messages/${key}` }])),
      },
    },
    operations: {
      ...Object.fromEntries(
        commands.map(({ name, summary, answer }) => [keyOf(name), asking(name, summary, answer)]),
      ),
      ...Object.fromEntries(
        [...events, ...notices].map(({ name, summary }) => [keyOf(name), telling(name, summary)]),
      ),
    },
    components: {
      messages: Object.fromEntries(all),
      schemas: schemas(),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'As auth.token of the handshake',
        },
      },
    },
  };
}

const asking = (name: string, summary: string, answer: string) => ({
  ...{ action: 'receive', summary, channel, messages: [inChannel(keyOf(name))] },
  reply: { channel, messages: [inChannel(answerKey(answer)), inChannel(answerKey('refused'))] },
});

const telling = (name: string, summary: string) => ({
  ...{ action: 'send', summary, channel, messages: [inChannel(keyOf(name))] },
});

function messageOf({ name, summary }: Message, payload: object | undefined): [key: string, message: Json] {
  const key = keyOf(name);
  return [key, { name, summary, payload: { $ref: schemaAt(key) }, examples: [{ payload }] }];
}

function answerOf(kind: string, payload: object | undefined): [key: string, message: Json] {
  const key = answerKey(kind);
  return [
    key,
    { name: key, summary: 'An acknowledgement', payload: { $ref: schemaAt(key) }, examples: [{ payload }] },
  ];
}

function schemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const { name, payload } of [...commands, ...events, ...notices])
    registry.add(payload, { id: keyOf(name) });
  for (const [kind, schema] of Object.entries(answers)) registry.add(schema, { id: answerKey(kind) });
  registry.add(attendee, { id: 'Attendee' });
  registry.add(chatMessage, { id: 'ChatMessage' });
  const { schemas } = z.toJSONSchema(registry, {
    // What is sent, before a schema takes the white space off.
    io: 'input',
    uri: schemaAt,
    override({ jsonSchema }) {
      // The format says it in a word.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]));
}
