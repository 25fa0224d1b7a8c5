/** The page with what it calls: the REST routes it uses, on the rooms of `roomServer`, under the policy it will be served with. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CommandName } from '../../src/domain/catalog.ts';
import type { User } from '../../src/domain/define.ts';
import type { Reply } from '../../src/protocol/wire.ts';
import { bundlePage } from '../../web/bundle.ts';
import { roomServer, userOf, type Workshop } from '../client/roomServer.ts';

const policy = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const statusOf: Record<string, number> = {
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  invalid_state: 409,
};

export async function pageServer() {
  const page = await bundlePage();
  let guests = 100;
  const rooms = await roomServer({ onRequest: (request, response) => void serve(request, response) });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', rooms.url).pathname;
    if (path.startsWith('/socket.io/')) return;
    response.setHeader('content-security-policy', policy);
    const file = page.files.get(path);
    if (file !== undefined) return void response.setHeader('content-type', file.type).end(file.body);
    if (path === '/') return void response.setHeader('content-type', 'text/html').end(page.html);
    if (!path.startsWith('/api/')) return void response.writeHead(404).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const [status, answer] = route(request, response, path, text === '' ? {} : JSON.parse(text));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  function route(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    body: { displayName?: string },
  ): [number, unknown] {
    if (path === '/api/guest') {
      const user = { userId: ++guests, displayName: body.displayName };
      const token = encodeURIComponent(`user-${user.id}-${user.displayName}`);
      response.setHeader('set-cookie', `workshop_token=${token}; HttpOnly; SameSite=Lax; Path=/`);
      return [200, { token, user }];
    }
    const cookie = /workshop_token=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
    const user = userOf(decodeURIComponent(cookie));
    if (user === null) return [401, { error: { code: 'unauthenticated', message: 'sign in first' } }];
    const [, , , id, action] = path.split('/');
    if (id === undefined) return request.method === 'POST' ? schedule(user, body) : list();
    const workshop = rooms.workshops.get(Number(id));
    if (workshop === undefined) return [404, { error: { code: 'not_found', message: 'no such workshop' } }];
    if (action === undefined) return [200, summary(workshop)];
    return told(rooms.perform(workshop, action as CommandName, user, body));
  }

  function schedule(user: User, body: unknown): [number, unknown] {
    const workshop = rooms.create(rooms.workshops.size + 1);
    const reply = rooms.perform(workshop, 'schedule-workshop', user, body);
    return reply.ok ? [201, summary(workshop)] : told(reply);
  }

  const list = (): [number, unknown] => [
    200,
    { items: [...rooms.workshops.values()].map(summary), nextCursor: null },
  ];

  return rooms;
}

function summary({ room }: Workshop) {
  const { id, title, status, hostId } = room;
  return { id, title, status, hostId, scheduledAt: new Date(room.scheduledAt).toISOString() };
}

function told(reply: Reply): [number, unknown] {
  return reply.ok ? [200, reply] : [statusOf[reply.error.code] ?? 400, reply];
}
