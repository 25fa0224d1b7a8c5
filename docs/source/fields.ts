/**
 * The fields of a schema as rows of a table. Types and bounds come from its JSON Schema; what only a check of the program
 * knows, such as the length of a text in code points, comes from asking the schema for its complaint about too long a value.
 */
import { z } from 'zod';
import { code } from './markdown.ts';

export interface Field {
  name: string;
  required: boolean;
  type: string;
  limits: string;
}

interface JsonSchema {
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  default?: unknown;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
}

/** What whoever sends the value has to know: the input side of the schema. */
export function fieldsOf(schema: z.ZodType): Field[] {
  // zod's own result is wider than what these schemas use of it.
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
  return Object.entries(properties).map(([name, property]) => ({
    name,
    required: required.includes(name),
    type: typeOf(property),
    limits: [limitsOf(property), complaintOf(schema, name, property), defaultOf(property)]
      .filter((part) => part !== '')
      .join('; '),
  }));
}

function typeOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.enum !== undefined) return schema.enum.map((value) => code(JSON.stringify(value))).join(', ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.properties !== undefined) {
    const { properties, required = [] } = schema;
    const inside = Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`));
    return `object ${code(`{ ${inside.join(', ')} }`)}`;
  }
  if (schema.items !== undefined) return `array of ${typeOf(schema.items)}`;
  if (schema.format === 'date-time') return 'time (ISO 8601 with a zone)';
  if (schema.format === 'uuid') return 'UUID';
  return [schema.type ?? 'any'].flat().join(' or ');
}

function limitsOf(schema: JsonSchema): string {
  const inner = schema.anyOf?.find((each) => each.type !== 'null');
  if (inner !== undefined) return limitsOf(inner);
  if (schema.items !== undefined) return `${schema.minItems ?? 0} to ${schema.maxItems ?? '∞'} items`;
  if (schema.type !== 'integer') return '';
  const least =
    schema.minimum ?? (schema.exclusiveMinimum === undefined ? undefined : schema.exclusiveMinimum + 1);
  const most = schema.maximum === Number.MAX_SAFE_INTEGER ? '2^53 − 1' : schema.maximum?.toLocaleString('en');
  return `${least} to ${most}`;
}

/** Beyond what any text here may hold. */
const tooLong = 'x'.repeat(20_000);

function complaintOf(schema: z.ZodType, name: string, property: JsonSchema): string {
  const isText = [property.type].flat().includes('string') && property.enum === undefined;
  if (!isText || property.format !== undefined) return '';
  const parsed = schema.safeParse({ [name]: tooLong });
  const issues = parsed.error?.issues.filter(({ path }) => path.length === 1 && path[0] === name) ?? [];
  return issues
    .map(({ message }) =>
      message.replace(/^must have /, '').replace(/^Too big: .*<=(\d+) characters$/, 'at most $1 characters'),
    )
    .join('; ');
}

function defaultOf(schema: JsonSchema): string {
  return schema.default === undefined ? '' : `${code(JSON.stringify(schema.default))} if left out`;
}
