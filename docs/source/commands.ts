/** `docs/reference/commands.md`: what a client may send, and what becomes of it. */
import { type CommandName, commandNames, commandOf } from '../../src/domain/catalog.ts';
import type { CommandDefinition } from '../../src/domain/define.ts';
import { commandHeader, wireName } from '../../src/protocol/wire.ts';
import { fieldsOf } from './fields.ts';
import { code, codes, heading, page, table } from './markdown.ts';
import { type Conduct, conductOf } from './rooms.ts';

const roles: Record<CommandDefinition['who'], string> = {
  host: 'host',
  moderator: 'host, co-host',
  member: 'anyone admitted',
  stranger: 'anyone; where the workshop is private, who is admitted',
  system: 'the server itself',
};

/** Rights that depend on more than the role, in words. Every command with `may` has to have its own. */
const rights: Partial<Record<CommandName, string>> = {
  'lower-hand': 'oneself, in the room; another’s hand: host, co-host',
  'delete-chat': 'its author, host, co-host',
  'withdraw-message': 'its author, host, co-host, `admin`',
};

export function commandsPage(): string {
  const bySocket = commandNames.filter((name) => commandOf(name).via === 'socket');
  const others = commandNames.filter((name) => commandOf(name).via !== 'socket');
  return page(
    heading('Commands', '`src/domain/capabilities/`, `src/domain/machine.ts` and `src/protocol/wire.ts`'),
    introduction,
    table(['command', 'who', 'statuses', 'appends'], bySocket.map(overview)),
    `## What every payload may carry\n\n${payloadTable(commandHeader)}`,
    header,
    ...bySocket.map(section),
    requests,
    `## Commands of REST and of the server\n\nThey are decided, appended and told like the others, and come by another door: the routes of the REST interface (\`/openapi.json\` has their payloads, under the command's name as \`operationId\`), or the server itself (timers, presence). Sent over a socket they are ${code('unknown_command')}.`,
    table(
      ['command', 'door', 'what it does', 'who', 'statuses', 'appends'],
      others.map((name) => {
        const { via, summary } = commandOf(name);
        const [first = '', ...rest] = overview(name);
        return [first.replace('workshop:', ''), via === 'rest' ? 'REST' : 'server', summary, ...rest];
      }),
    ),
  );
}

function overview(name: CommandName): string[] {
  const { appends, statuses } = conductOf(name);
  return [code(wireName(name)), whoOf(name), statuses.join(', '), codes(appends)];
}

function section(name: CommandName): string {
  const { payload, summary, target, repeatable } = commandOf(name);
  const conduct = conductOf(name);
  const facts = [
    `**Who:** ${whoOf(name)}`,
    ...(target === undefined ? [] : [`**Target:** ${targetOf(target)}`]),
    `**Statuses:** ${codes(conduct.statuses)}`,
    `**Appends:** ${codes(conduct.appends)}`,
    `**Refusals, the first that holds:** ${codes(refusalsOf(conduct))}`,
    ...(repeatable ? ['**Repeats:** by itself; a `commandId` suppresses nothing'] : []),
  ];
  return [
    `## ${code(wireName(name))}`,
    summary,
    fieldsOf(payload).length === 0 ? 'No payload of its own.' : payloadTable(payload),
    facts.map((fact) => `- ${fact}`).join('\n'),
  ].join('\n\n');
}

function payloadTable(schema: Parameters<typeof fieldsOf>[0]): string {
  return table(
    ['field', 'type', 'required', 'limits'],
    fieldsOf(schema).map(({ name, type, required, limits }) => [
      code(name),
      type,
      required ? 'yes' : 'no',
      limits,
    ]),
  );
}

function refusalsOf({ refusals }: Conduct): string[] {
  const [first = 'not_found', ...rest] = refusals;
  return ['invalid_payload', first, ...rest];
}

function whoOf(name: CommandName): string {
  const { who, may, joined } = commandOf(name);
  const right = rights[name];
  if ((may !== undefined) !== (right !== undefined))
    throw new Error(`say in docs/source/commands.ts what ${name} asks beside the role, or no longer`);
  if (right !== undefined) return right;
  return joined === undefined ? roles[who] : 'who is in the room';
}

function targetOf({
  sparesHost,
  sparesCoHosts,
  removedToo,
}: NonNullable<CommandDefinition['target']>): string {
  const parts = [
    removedToo ? 'a member, or someone who was removed' : 'a member',
    ...(sparesHost ? ['never the host (`forbidden`)'] : []),
    ...(sparesCoHosts ? ['a co-host only if the host asks'] : []),
  ];
  return parts.join('; ');
}

const introduction = `
A command is a wish. A client sends it on the Socket.IO namespace \`/workshop\` with one object as its payload, and an
acknowledgement if it wants to know what became of it:

\`\`\`js
socket.emit('workshop:raise-hand', { workshopId: 7 }, (reply) => {
  // { ok: true, version, changed } or { ok: false, error: { code, message, retryable } }
});
\`\`\`

\`version\` is that of the last event appended, or the workshop's present one; \`changed: false\` says that what was asked for
already held and nothing was appended. A refusal without an acknowledgement comes as
\`workshop:error { command, code, message, retryable }\`, where \`command\` is the bare name. The codes are in
[errors.md](errors.md), the events in [events.md](events.md), connecting and joining in [../client.md](../client.md).`;

const header = `
Fields that a command does not know are ignored. A command sent again by the same user to the same workshop with the same
\`commandId\`, to any node and within ten minutes at least, appends nothing and is answered as the first time; the same id with
another command or payload is \`conflict\`. Commands of one socket to one workshop take effect in the order in which they were
sent. In every list of refusals below, the first that holds is the one that answers.`;

const requests = `
## Requests that are no commands

They append nothing.

- \`workshop:attendees\` \`{ workshopId, cursor? }\` answers \`{ ok: true, version, items, nextCursor }\`: the attendees in the
  order of joining, 500 to a page, as of \`version\`. For who is in the room with this socket.
- \`workshop:authenticate\` \`{ token }\` answers \`{ ok: true, expiresAt }\`: the socket lives on with a new token of the same
  user. Another user's token is \`forbidden\`.
- \`workshop:state-change\` is the server's own and always \`forbidden\`: the status changes by REST and by time.`;
