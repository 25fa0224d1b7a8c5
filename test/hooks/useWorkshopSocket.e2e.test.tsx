// @vitest-environment jsdom
/** The hooks in React against the server: what a component sees, and what the history says of the component. */
import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useWorkshopChat } from '../../src/hooks/useWorkshopChat.ts';
import { useWorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { until } from '../kit/until.ts';
import { type Served, served, token } from './served.ts';

let server: Served;
let workshopId: number;
let madeBefore: number;
const tokens = [0, 1, 2].map((user) => token(user));
/** Reconnecting takes a wait of its own, and a busy machine some time, in milliseconds. */
const patience = { timeout: 8_000 };

beforeAll(async () => {
  server = await served();
});
afterAll(() => server.close());

beforeEach(async () => {
  workshopId = await server.liveWorkshop();
  madeBefore = server.network.made();
});
afterEach(async () => {
  cleanup();
  await server.clear();
});

const connections = () => server.network.made() - madeBefore;

/** Who came and went, as the history has it. */
async function comings(id = workshopId): Promise<string[]> {
  const told = await server.events(id, 'user-joined', 'user-left');
  return told.map(({ type, data }) => [type, data.userId, data.reason].filter(Boolean).join(' '));
}

interface Props {
  id: number | null;
  user?: number;
}

function useRoom({ id, user = 2 }: Props) {
  const room = useWorkshopSocket(id, { url: server.url, token: tokens[user] });
  const chat = useWorkshopChat(room.socket, id);
  return { ...room, ...chat };
}

function Glance() {
  const { connected, workshopState } = useRoom({ id: workshopId });
  return <p>{String(connected) + String(workshopState)}</p>;
}

async function enter(user = 2) {
  const hook = renderHook(useRoom, { initialProps: { id: workshopId, user } as Props });
  await waitFor(() => expect(hook.result.current.workshopState).not.toBeNull(), patience);
  return hook;
}

describe('useWorkshopSocket', () => {
  it('connects, joins and shows the room', async () => {
    const hook = renderHook(useRoom, { initialProps: { id: workshopId } as Props });
    expect(hook.result.current).toMatchObject({
      connected: false,
      joined: false,
      workshopState: null,
      attendees: [],
      raisedHands: [],
      messages: [],
      error: null,
      userId: null,
    });
    await waitFor(() => expect(hook.result.current.workshopState).not.toBeNull(), patience);
    expect(hook.result.current).toMatchObject({ connected: true, joined: true, error: null, userId: 2 });
    const [started] = await server.events(workshopId, 'state-changed');
    expect(hook.result.current.workshopState).toEqual({
      status: 'live',
      startedAt: new Date(started?.at ?? 0),
      endedAt: null,
      hostId: 1,
      coHostIds: [],
      title: 'Sourdough',
      scheduledAt: new Date('2030-01-01T12:00:00Z'),
    });
    expect(hook.result.current.attendees).toEqual([
      {
        userId: 2,
        displayName: 'User 2',
        avatarUrl: null,
        isHost: false,
        isCoHost: false,
        canSpeak: false,
      },
    ]);
  });

  it('connects without joining while there is no workshop', async () => {
    const hook = renderHook(useRoom, { initialProps: { id: null } as Props });
    await waitFor(() => expect(hook.result.current.connected).toBe(true), patience);
    const outside = { ok: false, error: { code: 'not_joined' } };
    expect(await hook.result.current.raiseHand()).toMatchObject(outside);
    expect(await hook.result.current.sendMessage('hm')).toMatchObject(outside);
    expect(await comings()).toEqual([]);
  });

  it('follows what happens in the room', async () => {
    const { result } = await enter();
    await server.does(3, 'join', workshopId);
    await server.does(3, 'raise-hand', workshopId);
    await waitFor(() => expect(result.current.raisedHands).toEqual([3]), patience);
    expect(result.current.attendees.map(({ userId }) => userId)).toEqual([2, 3]);
    await server.rest(1, 'POST', `/api/workshops/${workshopId}/end`);
    await waitFor(() => expect(result.current.workshopState?.status).toBe('ended'), patience);
    expect(result.current).toMatchObject({ attendees: [], raisedHands: [], joined: false });
    const [, ended] = await server.events(workshopId, 'state-changed');
    expect(result.current.workshopState?.endedAt).toEqual(new Date(ended?.at ?? 0));
  });

  it('has every command, each answered by the server', async () => {
    await server.does(3, 'join', workshopId);
    const { result } = await enter(1);
    const host = result.current;
    const done = { ok: true, changed: true };
    expect(await act(host.raiseHand)).toMatchObject(done);
    expect(await act(() => host.lowerHand())).toMatchObject(done);
    await server.does(3, 'raise-hand', workshopId);
    expect(await act(() => host.approveSpeaker(3))).toMatchObject(done);
    expect(await act(() => host.revokeSpeaker(3))).toMatchObject(done);
    await server.does(3, 'raise-hand', workshopId);
    expect(await act(() => host.lowerHand(3))).toMatchObject(done);
    expect(await act(() => host.promoteCoHost(3))).toMatchObject(done);
    await waitFor(() => expect(result.current.workshopState?.coHostIds).toEqual([3]), patience);
    expect(await act(() => host.demoteCoHost(3))).toMatchObject(done);
    expect(await act(() => host.muteUser(3))).toMatchObject(done);
    expect(await act(() => host.removeUser(3, 'noise'))).toMatchObject(done);
    const [removed] = await server.events(workshopId, 'user-removed');
    expect(removed?.data).toEqual({ userId: 3, by: 1, reason: 'noise' });
    expect(await act(() => host.readmitUser(3))).toMatchObject(done);
    expect(await act(() => host.promoteCoHost(55))).toMatchObject({ error: { code: 'target_not_found' } });
    expect(await act(host.leaveWorkshop)).toMatchObject(done);
    expect(result.current).toMatchObject({ joined: false, workshopState: null });
    expect(await act(host.joinWorkshop)).toMatchObject(done);
    await waitFor(() => expect(result.current.workshopState).not.toBeNull(), patience);
  });

  it('keeps its functions and lists the same objects while nothing changes them', async () => {
    const { result, rerender } = await enter();
    const before = result.current;
    rerender({ id: workshopId });
    expect(result.current.raiseHand).toBe(before.raiseHand);
    expect(result.current.sendMessage).toBe(before.sendMessage);
    expect(result.current.workshopState).toBe(before.workshopState);
    await server.does(1, 'join', workshopId);
    await waitFor(() => expect(result.current.attendees).toHaveLength(2), patience);
    expect(result.current.workshopState).toBe(before.workshopState);
    expect(result.current.messages).toBe(before.messages);
  });

  it('leaves and disconnects on unmount', async () => {
    const hook = await enter();
    hook.unmount();
    await until(() => server.network.open() === 0, { what: 'the connection to be closed' });
    expect(await comings()).toEqual(['user-joined 2', 'user-left 2 left']);
  });

  it('leaves the old workshop and joins the new one when the id changes, on the same socket', async () => {
    const second = await server.liveWorkshop('Rye');
    const hook = await enter();
    hook.rerender({ id: second });
    await waitFor(() => expect(hook.result.current.workshopState?.title).toBe('Rye'), patience);
    expect(await comings()).toEqual(['user-joined 2', 'user-left 2 left']);
    expect(await comings(second)).toEqual(['user-joined 2']);
    hook.rerender({ id: null });
    expect(hook.result.current.workshopState).toBeNull();
    await waitFor(async () => expect(await comings(second)).toHaveLength(2), patience);
    expect(connections()).toBe(1);
  });

  it('makes one connection and one join in StrictMode, and leaves no ghost', async () => {
    const hook = renderHook(useRoom, { initialProps: { id: workshopId }, wrapper: StrictMode });
    await waitFor(() => expect(hook.result.current.workshopState).not.toBeNull(), patience);
    expect(hook.result.current.attendees).toHaveLength(1);
    hook.unmount();
    await until(() => server.network.open() === 0, { what: 'the connection to be closed' });
    expect(connections()).toBe(1);
    expect(await comings()).toEqual(['user-joined 2', 'user-left 2 left']);
  });

  it('resumes by itself after a cut and shows the old state meanwhile', async () => {
    const { result } = await enter();
    const states: unknown[] = [];
    result.current.socket?.on('workshop:state', (state) => states.push(state));
    server.network.sever();
    await waitFor(() => expect(result.current.connected).toBe(false), patience);
    expect(result.current).toMatchObject({ joined: false, workshopState: { status: 'live' } });
    await server.does(3, 'join', workshopId);
    server.network.mend();
    await waitFor(() => expect(result.current.attendees).toHaveLength(2), patience);
    expect(result.current).toMatchObject({ connected: true, joined: true, error: null });
    expect(states).toEqual([]);
    expect(await comings()).toEqual(['user-joined 2', 'user-joined 3']);
  });

  it('says that its sign-in expired, and comes back with another one', async () => {
    const hook = renderHook(({ auth }) => useWorkshopSocket(workshopId, { url: server.url, token: auth }), {
      initialProps: { auth: token(2, 2) },
    });
    await waitFor(() => expect(hook.result.current.joined).toBe(true), patience);
    await waitFor(() => expect(hook.result.current.error?.code).toBe('token_expired'), patience);
    hook.rerender({ auth: token(2) });
    await waitFor(() => expect(hook.result.current).toMatchObject({ joined: true, error: null }), patience);
    expect(await comings()).toEqual(['user-joined 2']);
  });

  it('stops where it is unauthenticated, and says so', async () => {
    const hook = renderHook(() => useWorkshopSocket(workshopId, { url: server.url }));
    await waitFor(() => expect(hook.result.current.error?.code).toBe('unauthenticated'), patience);
    expect(hook.result.current.socket?.active).toBe(false);
    expect(connections()).toBe(1);
  });

  it('takes another token of the same user without a new connection or join', async () => {
    const first = token(2, 4);
    const expiry = Date.now() + 4_000;
    const hook = renderHook(({ auth }) => useWorkshopSocket(workshopId, { url: server.url, token: auth }), {
      initialProps: { auth: first },
    });
    await waitFor(() => expect(hook.result.current.joined).toBe(true), patience);
    hook.rerender({ auth: token(2) });
    // With the first token the server would have ended the connection by then.
    await until(() => Date.now() > expiry + 500, { what: 'the first token to be worth nothing' });
    expect(hook.result.current).toMatchObject({ joined: true, error: null });
    expect(connections()).toBe(1);
    expect(await comings()).toEqual(['user-joined 2']);
  });

  it('says that one was removed and why, and stays out', async () => {
    const { result } = await enter();
    await server.does(1, 'remove-user', workshopId, { targetUserId: 2, reason: 'noise' });
    await waitFor(() => expect(result.current.error?.code).toBe('removed'), patience);
    const removed = { joined: false, workshopState: null, attendees: [], removalReason: 'noise' };
    expect(result.current).toMatchObject(removed);
    server.network.cut();
    await waitFor(() => expect(connections()).toBe(2), patience);
    await waitFor(() => expect(result.current.connected).toBe(true), patience);
    expect(result.current).toMatchObject({ ...removed, error: { code: 'removed' } });
  });

  it('renders on a server, where it knows nothing and connects to nothing', () => {
    expect(renderToString(<Glance />)).toBe('<p>falsenull</p>');
    expect(connections()).toBe(0);
  });
});
