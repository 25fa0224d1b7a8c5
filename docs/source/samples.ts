/** Payloads that a schema takes: without and with what is optional, and with every id that means something. */
import { z } from 'zod';

interface JsonSchema {
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

export function samplesOf(schema: z.ZodType, ids: readonly number[]): object[] {
  const root = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
  return [false, true].flatMap((optional) => ids.map((id) => objectOf(root, id, optional)));
}

function objectOf({ properties = {}, required = [] }: JsonSchema, id: number, optional: boolean): object {
  const wanted = Object.entries(properties).filter(([name]) => optional || required.includes(name));
  return Object.fromEntries(wanted.map(([name, property]) => [name, sampleOf(property, id)]));
}

function sampleOf(schema: JsonSchema, id: number): unknown {
  const [alternative] = schema.anyOf ?? [];
  if (alternative !== undefined) return sampleOf(alternative, id);
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.items !== undefined) return [sampleOf(schema.items, id)];
  if (schema.properties !== undefined) return objectOf(schema, id, true);
  if (schema.format === 'date-time') return '2030-01-01T00:00:00Z';
  const type = [schema.type].flat()[0];
  if (type === 'integer') return id;
  if (type === 'boolean') return true;
  // Taken as a text, and also where only an address is.
  if (type === 'string') return 'https://example.org/';
  throw new Error(`no sample for ${JSON.stringify(schema)}`);
}
