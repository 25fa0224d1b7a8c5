/** A sender that is killed when a receiver has an event and nothing says so yet. */
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { closingAfterEach } from '../kit/closing.ts';
import { startNode } from '../kit/node.ts';
import { receiver } from '../kit/receiver.ts';
import { clusterSettings, restAt } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const closing = closingAfterEach();

it('[K17] what was told and not noted when its sender was killed comes twice, under one id, and the rest once', {
  timeout: 120_000,
}, async () => {
  const settings = await clusterSettings();
  const sql = postgres(settings.DATABASE_URL ?? '', { max: 1 });
  closing({ close: () => sql.end() });
  const there = closing(await receiver());
  const node = closing(await startNode({ env: { ...settings, WEBHOOK_ALLOW_PRIVATE: 'true' } }));
  const rest = restAt(node.url);
  const admin = { id: 9, roles: ['admin'] };
  const made = await rest(admin, 'POST', '/api/admin/webhooks', { url: there.url });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  // The third one is had, and never answered.
  there.answers((response, { body }) => {
    if (body.data.version !== 3) response.writeHead(204).end();
  });
  const plan = { title: 'Weaving', scheduledAt: '2030-05-01T10:00:00Z' };
  const { id } = (await rest(1, 'POST', '/api/workshops', plan)).body;
  for (let user = 2; user <= 6; user++) await rest(user, 'POST', `/api/workshops/${id}/rsvp`);
  await until(() => there.versions(id).includes(3), { what: 'the third event', timeout: 20_000 });
  await node.kill();
  there.answers(204);
  // Nobody waits half a minute for the lease of the dead.
  await sql`update workshop_webhook_places set lease_until = now()`;
  await node.start();
  await until(() => there.versions(id).at(-1) === 6, { what: 'the rest', timeout: 30_000 });
  expect(there.versions(id)).toEqual([1, 2, 3, 3, 4, 5, 6]);
  const ids = there.received.map(({ headers }) => headers['webhook-id']);
  expect(ids[2]).toBe(ids[3]);
  expect(new Set(ids).size).toBe(6);
});
