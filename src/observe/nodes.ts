/**
 * The processes that share one log, as each of them tells of itself. They are asked over the adapter of Socket.IO; what does
 * not answer in time – a process that is frozen, or died a moment ago – is left out.
 */
import type { Namespace } from 'socket.io';
import type { Metrics } from './metrics.ts';

export interface NodeStatus {
  node: string;
  role: 'all' | 'gateway' | 'projector';
  /** With sockets on the node, or left a moment ago. */
  rooms: number;
  sockets: number;
  upSeconds: number;
  draining: boolean;
  /** Of the program; a node from before this was told says nothing. */
  version?: string | undefined;
  /** Sockets closed since its start because they did not read. */
  slowClients?: number | undefined;
  /** Workshops that it archived since its start. */
  archived?: number | undefined;
}

type Told = (asked: string, status: NodeStatus) => void;
/** The part of a namespace that reaches the other processes. */
type Circle = Pick<Namespace, 'adapter' | 'serverSideEmit' | 'on' | 'off'>;

const question = 'node-status?';
const answer = 'node-status!';

/** Asks everyone, and answers until `signal`; the asking node comes first. Never rejects. */
export function nodesOn(
  circle: Circle,
  self: () => Promise<NodeStatus>,
  { patienceMs = 1_000, signal }: { patienceMs?: number; signal?: AbortSignal } = {},
) {
  const waiting = new Map<string, Told>();
  let asked = 0;

  const tell = (id: string) => void self().then((status) => circle.serverSideEmit(answer, id, status));
  const hear = (id: string, status: NodeStatus) => waiting.get(id)?.(id, status);
  circle.on(question, tell);
  circle.on(answer, hear);
  signal?.addEventListener('abort', () => circle.off(question, tell).off(answer, hear));

  return async function nodes(): Promise<NodeStatus[]> {
    const own = await self();
    const id = `${own.node}:${asked++}`;
    const others: NodeStatus[] = [];
    let expected = Number.POSITIVE_INFINITY;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, patienceMs);
      const look = () => {
        if (others.length < expected) return;
        clearTimeout(late);
        resolve();
      };
      waiting.set(id, (_, status) => {
        others.push(status);
        look();
      });
      circle.serverSideEmit(question, id);
      Promise.resolve(circle.adapter.serverCount()).then(
        (count) => {
          expected = count - 1;
          look();
        },
        // The adapter has lost Redis: whoever answers in time is listed.
        () => undefined,
      );
    });
    waiting.delete(id);
    return [own, ...others.sort((one, other) => (one.node < other.node ? -1 : 1))];
  };
}

/** What this process tells of itself. */
export async function statusOf(
  {
    rooms,
    sockets,
    slowConsumers,
    archived,
  }: Pick<Metrics, 'rooms' | 'sockets' | 'slowConsumers' | 'archived'>,
  who: Pick<NodeStatus, 'node' | 'role' | 'draining' | 'version'>,
): Promise<NodeStatus> {
  const value = async (gauge: Metrics['rooms'] | Metrics['archived']) =>
    (await gauge.get()).values[0]?.value ?? 0;
  const upSeconds = Math.floor(process.uptime());
  const [roomsNow, socketsNow, slowClients, archivedSoFar] = await Promise.all(
    [rooms, sockets, slowConsumers, archived].map(value),
  );
  return {
    ...who,
    ...{ rooms: roomsNow ?? 0, sockets: socketsNow ?? 0, upSeconds },
    ...{ slowClients: slowClients ?? 0, archived: archivedSoFar ?? 0 },
  };
}
