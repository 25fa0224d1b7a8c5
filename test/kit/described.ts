/**
 * What `/asyncapi.json` says of messages, held against messages: each that a server of the tests sends to a client of the kit is
 * one of those that it describes.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { asyncApi } from '../../src/api/asyncApi/document.ts';
import { commands } from '../../src/api/asyncApi/messages.ts';
import { bareName } from '../../src/protocol/wire.ts';

const schemas = new Ajv2020({ strict: false, validateFormats: true });
addFormats.default(schemas);
const document = asyncApi()({ host: 'localhost', isEncrypted: false, basePath: '' });
schemas.addSchema(document, 'asyncapi');

const compiled = new Map<string, ValidateFunction>();

function validates(key: string): ValidateFunction {
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const made = schemas.compile({ $ref: `asyncapi#/components/schemas/${key}` });
  compiled.set(key, made);
  return made;
}

function complaint(key: string, payload: unknown): string | undefined {
  const fits = validates(key);
  return fits(payload) ? undefined : `${schemas.errorsText(fits.errors)}: ${JSON.stringify(payload)}`;
}

/** Throws where the message is none of those that are described. */
export function isDescribed(name: string, payload: unknown): void {
  const wrong = complaint(bareName(name) ?? name, payload);
  if (wrong !== undefined) throw new Error(`${name} is not as /asyncapi.json has it: ${wrong}`);
}

/** Throws where that is no answer to that command. */
export function isAnswer(name: string, reply: unknown): void {
  const asked = commands.find((each) => each.name === name);
  const refused = complaint('refused-answer', reply);
  const wrong = asked === undefined ? refused : refused && complaint(`${asked.answer}-answer`, reply);
  if (wrong !== undefined) throw new Error(`the answer to ${name} is not as /asyncapi.json has it: ${wrong}`);
}
