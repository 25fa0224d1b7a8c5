/** The web page and the documentation, as browsers get them; the OpenAPI document, as programs do. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RestServer, restServer } from './restServer.ts';

let server: RestServer;
const script = '/assets/page-4F2A9C.js';

beforeAll(async () => {
  const files = new Map([
    [script, { type: 'text/javascript; charset=utf-8', body: new TextEncoder().encode('let a = 1') }],
  ]);
  server = await restServer({
    projecting: false,
    parts: { page: { html: '<!doctype html><title>Rooms</title>', files } },
  });
});
afterAll(() => server.close());

it('serves the page anew each time, unless it is the one that the browser has', async () => {
  for (const address of ['/', '/w/7', '/admin', '/?workshop=7']) {
    const { status, headers, text } = await server.ask(null, `GET ${address}`);
    expect({ status, text }).toEqual({ status: 200, text: '<!doctype html><title>Rooms</title>' });
    expect(headers).toMatchObject({
      'cache-control': 'no-cache',
      'content-type': 'text/html; charset=utf-8',
    });
    const known = { 'if-none-match': String(headers.etag) };
    expect(await server.ask(null, `GET ${address}`, undefined, { headers: known })).toMatchObject({
      ...{ status: 304, text: '' },
    });
  }
});

it('lets browsers keep what never changes', async () => {
  const { headers, text } = await server.ask(null, `GET ${script}`);
  expect(text).toBe('let a = 1');
  expect(headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'text/javascript; charset=utf-8',
  });
  expect(await server.ask(null, 'GET /assets/page-000000.js')).toMatchObject({ status: 404 });
});

interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: object };
}
interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security: object[];
  parameters?: { in: string; name: string; required: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: { properties: object } }> };
  responses: Record<string, { description: string; content?: object }>;
}

it('has an OpenAPI 3.1 document in which every reference leads somewhere and every operation is complete', async () => {
  const { body, text } = await server.ask(null, 'GET /openapi.json');
  const document: Document = body;
  expect(document.openapi).toBe('3.1.0');
  expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
  for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    expect(document.components.schemas).toHaveProperty(name);
  expect(text.match(/"\$ref"/g)?.length).toBe(text.match(/"#\/components\/schemas\//g)?.length);

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const operation of operations) {
    const { path, parameters = [], responses } = operation;
    expect(operation.summary, path).toMatch(/\.$/);
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    expect(inPath.map(({ name }) => name).sort()).toEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(),
    );
    expect(inPath.every(({ required }) => required)).toBe(true);
    for (const [status, { description }] of Object.entries(responses)) {
      expect(status).toMatch(/^([1-5]\d\d|[45]XX)$/);
      expect(description.length).toBeGreaterThan(0);
    }
    expect(operation.security.length > 0).toBe(path.startsWith('/api/') && path !== '/api/guest');
  }
});

it('documents bodies by the schemas that they are checked by', async () => {
  const { body } = await server.ask(null, 'GET /openapi.json');
  const { paths }: Document = body;
  const fields = (path: string, method: string) =>
    Object.keys(paths[path]?.[method]?.requestBody?.content['application/json']?.schema.properties ?? {});
  expect(fields('/api/workshops', 'post')).toEqual([
    ...['title', 'description', 'scheduledAt', 'durationMinutes', 'visibility', 'capacity'],
  ]);
  expect(fields('/api/workshops/{id}/invitations', 'post')).toEqual(['userIds']);
  expect(paths['/api/workshops/{id}/start']?.post?.requestBody).toBeUndefined();
});
