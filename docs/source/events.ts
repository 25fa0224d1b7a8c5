/** `docs/reference/events.md`: what the log holds and what readers get of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type EventType, eventOf, eventTypes } from '../../src/domain/catalog.ts';
import { wireEvent, wireName } from '../../src/protocol/wire.ts';
import { fieldsOf } from './fields.ts';
import { code, codes, heading, page, table } from './markdown.ts';

const golden = join(import.meta.dirname, '../../test/golden');

const example = z.object({
  eventId: z.string(),
  version: z.int(),
  type: z.string(),
  schema: z.int(),
  at: z.int(),
  by: z.union([z.int(), z.literal('system')]),
  commandId: z.string(),
  data: z.record(z.string(), z.unknown()),
});

export function eventsPage(): string {
  return page(
    heading('Events', '`src/domain/capabilities/` and `test/golden/`'),
    introduction,
    table(
      ['event', 'schema', 'fields of its data'],
      eventTypes.map((type) => {
        const { schema, data } = eventOf(type);
        const names = fieldsOf(data).map(({ name, required }) => (required ? name : `${name}?`));
        return [code(wireName(type)), String(schema), codes(names)];
      }),
    ),
    ...eventTypes.map(section),
  );
}

function section(type: EventType): string {
  const { schema, data, redact } = eventOf(type);
  const recorded = exampleOf(type);
  const told = wireEvent(recorded, { startedAt: recorded.at, deleted: new Set() });
  const stored = new Set([...Object.keys(recorded.data), 'version', 'type', 'at']);
  const derived = Object.keys(told).filter((name) => !stored.has(name));
  const facts = [
    `**Schema:** ${schema}`,
    `**Derived fields,** told beside the data and not stored: ${codes([...derivedAlways(type), ...derived])}`,
    ...(redact === undefined
      ? []
      : ['**Once deleted:** told as `message: null, deleted: true`, in the past too']),
  ];
  return [
    `## ${code(wireName(type))}`,
    table(
      ['field', 'type', 'required', 'limits'],
      fieldsOf(data).map(({ name, type: kind, required, limits }) => [
        code(name),
        kind,
        required ? 'yes' : 'no',
        limits,
      ]),
    ),
    facts.map((fact) => `- ${fact}`).join('\n'),
    `As recorded:\n\n\`\`\`json\n${JSON.stringify(recorded, null, 2)}\n\`\`\``,
  ].join('\n\n');
}

/** What an event may tell beside its example: a status has a start and an end once they have come. */
function derivedAlways(type: EventType): string[] {
  const { derive, data } = eventOf(type);
  if (derive === undefined || type !== 'state-changed') return [];
  return Object.keys(derive(data.parse({ status: 'ended' }), { version: 1, at: 1 }, 1));
}

function exampleOf(type: EventType) {
  const { schema } = eventOf(type);
  return example.parse(JSON.parse(readFileSync(join(golden, `${type}.${schema}.json`), 'utf8')));
}

const introduction = `
An event is a fact that was recorded. Its \`version\` is its number in its workshop, from 1 without a gap. Over a socket it is
\`workshop:<type>\` with its data and \`{ workshopId, version, at }\`, or one of the \`events\` of a \`workshop:events\` message
(\`join { batch: true }\`); \`GET /api/workshops/:id/events\` tells it with its envelope.

The envelope, kept with every event: \`version\`; \`eventId\` (UUIDv7); \`type\`; \`schema\`, the number of its data's shape; \`at\`,
milliseconds since 1970 in the log and ISO 8601 in UTC for readers; \`by\`, a user id or \`system\`; \`commandId\`, the same for all
events of a command.

Events are storage: a field is never renamed and never gets another meaning. A changed shape is a new schema number, and
\`test/golden/\` keeps an example of each for good. Readers ignore types and fields that they do not know.`;
