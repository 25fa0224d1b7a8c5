/** What operators see of all nodes: real processes, asked at any of them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type NodeProcess, startNode } from '../kit/nodeProcess.ts';
import { clusterSettings, guestOn, type Json, liveWorkshop, restAt, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';

let settings: Record<string, string>;
const running: NodeProcess[] = [];

beforeAll(async () => {
  settings = await clusterSettings();
  const roles = ['gateway', 'gateway', 'projector'];
  running.push(...(await Promise.all(roles.map((ROLE) => startNode({ ...settings, ROLE })))));
}, 90_000);
afterAll(async () => {
  for (const node of running) await node.stop({ within: 15_000 });
});

const admin = { id: 99, roles: ['admin'] };
const statusAt = async (node: NodeProcess): Promise<Json[]> =>
  (await restAt(node.url)(admin, 'GET', '/api/admin/status')).body.nodes;

it('[Q6] every node lists all of them, with sockets and rooms of each, and leaves out in a second what does not answer', {
  timeout: 60_000,
}, async () => {
  const [one, two, projector] = running as [NodeProcess, NodeProcess, NodeProcess];
  const workshopId = await liveWorkshop({ rest: restAt(one.url) }, [2, 3]);
  const guests = await Promise.all(
    [one, two, two].map(async ({ url }, n) => guestOn(url, n + 1, { token: await token({ id: n + 1 }) })),
  );
  for (const guest of guests) {
    await until(() => guest.socket.connected, { what: 'a connection' });
    await guest.say('join', { workshopId });
  }
  for (const node of [one, two, projector]) {
    const nodes = await statusAt(node);
    expect(nodes).toHaveLength(3);
    expect(nodes.map(({ role, sockets, rooms }) => `${role} ${sockets} ${rooms}`).sort()).toEqual([
      'gateway 1 1',
      'gateway 2 1',
      'projector 0 0',
    ]);
    for (const each of nodes) expect(each).toMatchObject({ draining: false, upSeconds: expect.any(Number) });
    expect(new Set(nodes.map(({ node: name }) => name)).size).toBe(3);
  }
  two.signal('SIGSTOP');
  const asked = performance.now();
  const answering = await statusAt(one);
  expect(performance.now() - asked).toBeLessThan(3_000);
  expect(answering.map(({ role }) => role).sort()).toEqual(['gateway', 'projector']);
  two.signal('SIGCONT');
  await until(async () => (await statusAt(one)).length === 3, { what: 'the node to answer again' });

  two.signal('SIGTERM');
  const draining = async () => (await statusAt(one)).find(({ draining: says }) => says);
  expect(await until(draining, { what: 'the node to say that it is draining' })).toMatchObject({
    sockets: 2,
  });
  for (const guest of guests) guest.close();
  expect(await two.ended).toEqual({ code: 0, signal: null });
  expect(await statusAt(one)).toHaveLength(2);
});
