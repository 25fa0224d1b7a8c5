// @vitest-environment jsdom
/** The hooks in React, over real sockets: what a component sees, and what the server sees of the component. */
import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useWorkshopChat } from '../../src/hooks/useWorkshopChat.ts';
import { useWorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { type RoomServer, roomServer } from '../client/roomServer.ts';

let server: RoomServer;

beforeEach(async () => {
  server = await roomServer();
});

afterEach(async () => {
  cleanup();
  await waitFor(() => expect(server.connected()).toBe(0));
  await server.close();
});

interface Props {
  id: number | null;
  user?: number;
}

function useRoom({ id, user = 2 }: Props) {
  const room = useWorkshopSocket(id, { url: server.url, token: `user-${user}` });
  const chat = useWorkshopChat(room.socket, id);
  return { ...room, ...chat };
}

function Glance() {
  const { connected, workshopState } = useRoom({ id: 1 });
  return <p>{String(connected) + String(workshopState)}</p>;
}

async function enter(id: number, user = 2) {
  const hook = renderHook(useRoom, { initialProps: { id, user } as Props });
  await waitFor(() => expect(hook.result.current.workshopState).not.toBeNull());
  return hook;
}

describe('useWorkshopSocket', () => {
  it('connects, joins and shows the room', async () => {
    const { room } = server.schedule(1);
    const hook = renderHook(useRoom, { initialProps: { id: 1 } as Props });
    expect(hook.result.current).toMatchObject({
      connected: false,
      joined: false,
      workshopState: null,
      attendees: [],
      raisedHands: [],
      messages: [],
      error: null,
    });
    await waitFor(() => expect(hook.result.current.workshopState).not.toBeNull());
    expect(hook.result.current).toMatchObject({ connected: true, joined: true, error: null });
    expect(hook.result.current.workshopState).toEqual({
      status: 'live',
      startedAt: new Date(room.startedAt ?? 0),
      endedAt: null,
      hostId: 1,
      coHostIds: [],
      title: 'Workshop 1',
      scheduledAt: new Date(room.scheduledAt),
    });
    expect(hook.result.current.attendees).toEqual([
      {
        userId: 2,
        displayName: 'Person 2',
        avatarUrl: null,
        isHost: false,
        isCoHost: false,
        canSpeak: false,
      },
    ]);
  });

  it('connects without joining while there is no workshop', async () => {
    const hook = renderHook(useRoom, { initialProps: { id: null } as Props });
    await waitFor(() => expect(hook.result.current.connected).toBe(true));
    expect(server.received).toEqual([]);
    expect(await hook.result.current.raiseHand()).toMatchObject({ ok: false, error: { code: 'not_joined' } });
    expect(await hook.result.current.sendMessage('hm')).toMatchObject({
      ok: false,
      error: { code: 'not_joined' },
    });
  });

  it('follows what happens in the room', async () => {
    const room = server.schedule(1);
    const { result } = await enter(1);
    act(() => {
      server.act(room, 3, 'join');
      server.act(room, 3, 'raise-hand');
    });
    await waitFor(() => expect(result.current.raisedHands).toEqual([3]));
    expect(result.current.attendees.map(({ userId }) => userId)).toEqual([2, 3]);
    act(() => server.act(room, 1, 'end'));
    await waitFor(() => expect(result.current.workshopState?.status).toBe('ended'));
    expect(result.current).toMatchObject({ attendees: [], raisedHands: [], joined: false });
    expect(result.current.workshopState?.endedAt).toEqual(new Date(room.room.endedAt ?? 0));
  });

  it('has every command, each answered by the server', async () => {
    const room = server.schedule(1);
    server.act(room, 3, 'join');
    const { result } = await enter(1, 1);
    const host = result.current;
    const done = { ok: true, changed: true };
    expect(await act(host.raiseHand)).toMatchObject(done);
    expect(await act(() => host.lowerHand())).toMatchObject(done);
    server.act(room, 3, 'raise-hand');
    expect(await act(() => host.approveSpeaker(3))).toMatchObject(done);
    expect(await act(() => host.revokeSpeaker(3))).toMatchObject(done);
    server.act(room, 3, 'raise-hand');
    expect(await act(() => host.lowerHand(3))).toMatchObject(done);
    expect(await act(() => host.promoteCoHost(3))).toMatchObject(done);
    await waitFor(() => expect(result.current.workshopState?.coHostIds).toEqual([3]));
    expect(await act(() => host.demoteCoHost(3))).toMatchObject(done);
    expect(await act(() => host.muteUser(3))).toMatchObject(done);
    expect(await act(() => host.removeUser(3, 'noise'))).toMatchObject(done);
    expect(room.events.at(-1)?.data).toEqual({ userId: 3, by: 1, reason: 'noise' });
    expect(await act(() => host.readmitUser(3))).toMatchObject(done);
    expect(await act(() => host.promoteCoHost(55))).toMatchObject({ error: { code: 'target_not_found' } });
    expect(await act(host.leaveWorkshop)).toMatchObject(done);
    expect(result.current).toMatchObject({ joined: false, workshopState: null });
    expect(await act(host.joinWorkshop)).toMatchObject(done);
    await waitFor(() => expect(result.current.workshopState).not.toBeNull());
  });

  it('keeps its functions and lists the same objects while nothing changes them', async () => {
    const room = server.schedule(1);
    const { result, rerender } = await enter(1);
    const before = result.current;
    rerender({ id: 1 });
    expect(result.current.raiseHand).toBe(before.raiseHand);
    expect(result.current.sendMessage).toBe(before.sendMessage);
    expect(result.current.workshopState).toBe(before.workshopState);
    act(() => server.act(room, 1, 'join'));
    await waitFor(() => expect(result.current.attendees).toHaveLength(2));
    expect(result.current.workshopState).toBe(before.workshopState);
    expect(result.current.messages).toBe(before.messages);
  });

  it('leaves and disconnects on unmount', async () => {
    const { room } = server.schedule(1);
    const hook = await enter(1);
    hook.unmount();
    await waitFor(() => expect(server.connected()).toBe(0));
    expect(room.present.has(2)).toBe(false);
    expect(server.received.at(-1)?.name).toBe('leave');
  });

  it('leaves the old workshop and joins the new one when the id changes, on the same socket', async () => {
    const first = server.schedule(1);
    const second = server.schedule(2);
    const hook = await enter(1);
    hook.rerender({ id: 2 });
    await waitFor(() => expect(hook.result.current.workshopState?.title).toBe('Workshop 2'));
    expect(first.room.present.has(2)).toBe(false);
    expect(second.room.present.has(2)).toBe(true);
    hook.rerender({ id: null });
    expect(hook.result.current.workshopState).toBeNull();
    await waitFor(() => expect(second.room.present.has(2)).toBe(false));
    expect(server.handshakes).toHaveLength(1);
  });

  it('makes one connection and one join in StrictMode, and leaves no ghost', async () => {
    const { room } = server.schedule(1);
    const hook = renderHook(useRoom, { initialProps: { id: 1 }, wrapper: StrictMode });
    await waitFor(() => expect(hook.result.current.workshopState).not.toBeNull());
    expect(server.upgrades()).toBe(1);
    expect(server.received.map(({ name }) => name)).toEqual(['join']);
    expect(hook.result.current.attendees).toHaveLength(1);
    hook.unmount();
    await waitFor(() => expect(room.present.size).toBe(0));
    await waitFor(() => expect(server.connected()).toBe(0));
  });

  it('resumes by itself after a cut and shows the old state meanwhile', async () => {
    const room = server.schedule(1);
    const { result } = await enter(1);
    server.cut(2);
    await waitFor(() => expect(result.current.connected).toBe(false));
    expect(result.current).toMatchObject({ joined: false, workshopState: { status: 'live' } });
    act(() => server.act(room, 3, 'join'));
    await waitFor(() => expect(result.current.attendees).toHaveLength(2));
    expect(result.current).toMatchObject({ connected: true, joined: true });
    expect(server.received.at(-1)?.payload.after).toMatchObject({ epoch: 'first' });
  });

  it('comes back after its sign-in expired', async () => {
    server.schedule(1);
    const { result } = await enter(1);
    server.expire(2);
    await waitFor(() => expect(result.current.error?.code).toBe('token_expired'));
    await waitFor(() => expect(result.current).toMatchObject({ joined: true, error: null }));
    expect(server.handshakes).toHaveLength(2);
  });

  it('stops where it is unauthenticated, and says so', async () => {
    server.schedule(1);
    const hook = renderHook(() => useWorkshopSocket(1, { url: server.url }));
    await waitFor(() => expect(hook.result.current.error?.code).toBe('unauthenticated'));
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(server.handshakes).toHaveLength(1);
    expect(hook.result.current.socket?.active).toBe(false);
  });

  it('takes another token of the same user without a new connection or join', async () => {
    server.schedule(1);
    const hook = renderHook(({ token }) => useWorkshopSocket(1, { url: server.url, token }), {
      initialProps: { token: 'user-2' },
    });
    await waitFor(() => expect(hook.result.current.joined).toBe(true));
    hook.rerender({ token: 'user-02' });
    await waitFor(() => expect(server.count('authenticate')).toBe(1));
    expect(hook.result.current.joined).toBe(true);
    expect(server.handshakes).toHaveLength(1);
    expect(server.count('join')).toBe(1);
  });

  it('says that one was removed, and stays out', async () => {
    const room = server.schedule(1);
    const { result } = await enter(1);
    act(() => server.act(room, 1, 'remove-user', { targetUserId: 2 }));
    await waitFor(() => expect(result.current.error?.code).toBe('removed'));
    expect(result.current).toMatchObject({ joined: false, workshopState: null, attendees: [] });
  });

  it('renders on a server, where it knows nothing and connects to nothing', () => {
    expect(renderToString(<Glance />)).toBe('<p>falsenull</p>');
    expect(server.handshakes).toEqual([]);
  });
});
