// @vitest-environment jsdom
/** The chat in React, over real sockets. */
import { act, cleanup, render, renderHook, waitFor } from '@testing-library/react';
import type { Socket } from 'socket.io-client';
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

function Lines({ socket }: { socket: Socket | null }) {
  return <p>{useWorkshopChat(socket, 1).messages.map(({ message }) => message)}</p>;
}

function Speakers() {
  const { socket, joined } = useWorkshopSocket(1, { url: server.url, token: 'user-2' });
  const { sendMessage } = useWorkshopChat(socket, 1);
  return (
    <>
      <Lines socket={socket} />
      <Lines socket={socket} />
      <button type="button" disabled={!joined} onClick={() => void sendMessage('hello')}>
        say
      </button>
    </>
  );
}

async function enter(id: number, user = 2) {
  const hook = renderHook(useRoom, { initialProps: { id, user } as Props });
  await waitFor(() => expect(hook.result.current.workshopState).not.toBeNull());
  return hook;
}

describe('useWorkshopChat', () => {
  it('shows what is said and says something', async () => {
    const room = server.schedule(1);
    server.act(room, 3, 'join');
    server.act(room, 3, 'chat', { message: 'welcome' });
    const { result } = await enter(1);
    const reply = await act(() => result.current.sendMessage('thank you'));
    expect(reply).toMatchObject({ ok: true, changed: true, version: room.room.version });
    await waitFor(() => expect(result.current.messages).toHaveLength(2));
    const line = room.room.chat[1];
    expect(result.current.messages[1]).toEqual({
      id: room.room.version,
      userId: 2,
      displayName: 'Person 2',
      avatarUrl: null,
      message: 'thank you',
      offsetMs: (line?.at ?? 0) - (room.room.startedAt ?? 0),
      createdAt: new Date(line?.at ?? 0),
    });
  });

  it('shows a deleted message as null, and leaves the others the same objects', async () => {
    const room = server.schedule(1);
    const { result } = await enter(1);
    await act(() => result.current.sendMessage('kept'));
    await act(() => result.current.sendMessage('regretted'));
    await waitFor(() => expect(result.current.messages).toHaveLength(2));
    const [kept, regretted] = result.current.messages;
    expect(await act(() => result.current.deleteMessage(regretted?.id ?? 0))).toMatchObject({ ok: true });
    await waitFor(() => expect(result.current.messages[1]?.message).toBeNull());
    expect(result.current.messages[0]).toBe(kept);
    expect(room.room.deleted.size).toBe(1);
  });

  it('says once what was cut off before it was acknowledged', async () => {
    server.schedule(1);
    const { result } = await enter(1);
    server.mishap('chat', 'cut-before-answer');
    expect(await act(() => result.current.sendMessage('once'))).toMatchObject({ ok: true });
    await waitFor(() => expect(result.current.messages.map(({ message }) => message)).toEqual(['once']));
    expect(server.count('chat')).toBe(2);
  });

  it('shares the join and the view of useWorkshopSocket with any number of components', async () => {
    server.schedule(1);
    const page = render(<Speakers />);
    const button = page.getByRole('button');
    await waitFor(() => expect(button.hasAttribute('disabled')).toBe(false));
    act(() => button.click());
    await waitFor(() => expect(page.getAllByText('hello')).toHaveLength(2));
    expect(server.count('join')).toBe(1);
  });
});
