/** The web page, from memory: the document, and files whose names change with what is in them. */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

export interface Page {
  /** The document, with `{{basePath}}` before its addresses. */
  html: string;
  /** By address, such as `/assets/page-4F2A9C.js`. What is under an address never changes. */
  files: ReadonlyMap<string, PageFile>;
}

export interface PageFile {
  /** As `Content-Type` has it. */
  type: string;
  body: Uint8Array;
}

/** Of the document, which looks at its own address (`web/route.ts`). */
const addresses = ['/', '/w/:id', '/w/:id/timeline', '/admin'];

export function pageRoutes(app: FastifyInstance, { html: template, files }: Page, basePath: string): void {
  const html = template.replaceAll('{{basePath}}', basePath);
  const etag = `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"`;
  for (const url of addresses) {
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      // Asked for anew each time: it names the files of the version that is served.
      reply.header('cache-control', 'no-cache').header('etag', etag);
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type('text/html; charset=utf-8').send(html);
    });
  }
  for (const [url, { type, body }] of files) {
    const payload = Buffer.from(body);
    app.get(url, { schema: { hide: true } }, async (_, reply) =>
      reply.header('cache-control', 'public, max-age=31536000, immutable').type(type).send(payload),
    );
  }
}
