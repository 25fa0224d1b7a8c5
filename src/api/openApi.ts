/** The documentation of REST and sockets, made from the very schemas that requests and messages are checked by. */
import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { cookieName } from '../identity/origin.ts';
import { asyncApi } from './asyncApi/document.ts';
import { errorBody } from './errors.ts';
import { docsSecurityPolicy } from './headers.ts';
import type { Who } from './parts.ts';

const description = `Workshops, who comes to them, and what happened in them. What happens in a room while it is live goes over
sockets (namespace \`/workshop\`, described at \`/asyncapi.json\`).

An error is \`{ error: { code, message } }\`: programs switch on \`code\`. Lists come page by page: \`cursor\` is the \`nextCursor\` of
the page before, null at the end. Commands answer with the \`version\` of the workshop; reads of lists may lag behind it, unless
asked with \`minVersion\`.`;

interface Addressed {
  publicUrl?: string | undefined;
  basePath?: string | undefined;
}

/** Before any route is declared; every route then brings its errors and who it is for. */
export async function documentApi(
  app: FastifyInstance,
  { publicUrl, basePath = '' }: Addressed,
): Promise<void> {
  app.addHook('onRoute', (route) => {
    if (route.schema === undefined || route.schema.hide) return;
    const { who } = route.config ?? {};
    route.schema = {
      ...route.schema,
      security: securityOf(who),
      response: described(route.schema.response ?? {}),
    };
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Workshop rooms',
        version: '1.0.0',
        description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: publicUrl ?? '/' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: cookieName,
            description: 'Counts only from the own origin and from those in `CORS_ORIGINS`.',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: usedComponents,
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  const sockets = asyncApi();
  const known = publicUrl === undefined ? undefined : new URL(publicUrl);
  app.get('/asyncapi.json', { schema: { hide: true } }, async ({ host, protocol }) =>
    sockets({
      host: known?.host ?? host,
      isEncrypted: (known?.protocol ?? `${protocol}:`) === 'https:',
      basePath,
    }),
  );
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsSecurityPolicy,
    uiConfig: { docExpansion: 'list', deepLinking: true },
    logLevel: 'warn',
  });
}

function securityOf(who: Who | undefined): Record<string, string[]>[] {
  if (who === undefined || who === 'anyone') return [];
  const signedIn = [{ bearer: [] }, { cookie: [] }];
  // With nothing in it: a visitor need not be signed in, and is told whether they are.
  return who === 'visitor' ? [{}, ...signedIn] : signedIn;
}

/** Every answer with a sentence, which OpenAPI asks for, and those that every route may give. */
function described(response: object): object {
  const answers = Object.entries(response).map(([status, answer]: [string, unknown]) => [
    status,
    answer instanceof z.ZodType ? answerOf('Done', answer) : answer,
  ]);
  return {
    ...Object.fromEntries(answers),
    '4xx': answerOf('Refused: the code says why', errorBody),
    '5xx': answerOf('Not possible for now (503), or a fault of the server', errorBody),
  };
}

function answerOf(description: string, schema: z.ZodType) {
  return { description, content: { 'application/json': { schema } } };
}

/** Without the components that nothing refers to: each schema is registered in two forms, as input and as output. */
const usedComponents: SwaggerTransformObject = (document) => {
  const transformed = jsonSchemaTransformObject(document);
  const schemas = 'components' in transformed ? (transformed.components?.schemas ?? {}) : {};
  const isUsed = (name: string) => JSON.stringify(transformed).includes(`"#/components/schemas/${name}"`);
  // One that goes may have been all that referred to another one.
  for (let unused = true; unused; ) {
    const names = Object.keys(schemas).filter((name) => !isUsed(name));
    unused = names.length > 0;
    for (const name of names) delete schemas[name];
  }
  return transformed;
};
