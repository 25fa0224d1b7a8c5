// @vitest-environment jsdom
/** The chat in React, against the server. */
import { act, cleanup, render, renderHook, waitFor } from '@testing-library/react';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useWorkshopChat } from '../../src/hooks/useWorkshopChat.ts';
import { useWorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { until } from '../kit/until.ts';
import { type Served, served, token } from './served.ts';

let server: Served;
let workshopId: number;
const two = token(2);
const patience = { timeout: 8_000 };

beforeAll(async () => {
  server = await served();
});
afterAll(() => server.close());

beforeEach(async () => {
  workshopId = await server.liveWorkshop();
});
afterEach(async () => {
  cleanup();
  await server.clear();
});

function useRoom() {
  const room = useWorkshopSocket(workshopId, { url: server.url, token: two });
  const chat = useWorkshopChat(room.socket, workshopId);
  return { ...room, ...chat };
}

function Lines({ socket }: { socket: Socket | null }) {
  return <p>{useWorkshopChat(socket, workshopId).messages.map(({ message }) => message)}</p>;
}

function Speakers({ onSent }: { onSent(name: string): void }) {
  const { socket, joined } = useWorkshopSocket(workshopId, { url: server.url, token: two });
  const { sendMessage } = useWorkshopChat(socket, workshopId);
  socket?.offAnyOutgoing().onAnyOutgoing(onSent);
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

async function enter() {
  const { result } = renderHook(useRoom);
  await waitFor(() => expect(result.current.workshopState).not.toBeNull(), patience);
  return result;
}

describe('useWorkshopChat', () => {
  it('shows what is said and says something', async () => {
    await server.does(3, 'join', workshopId);
    await server.does(3, 'chat', workshopId, { message: 'welcome' });
    const result = await enter();
    const reply = await act(() => result.current.sendMessage('thank you'));
    expect(reply).toMatchObject({ ok: true, changed: true });
    await waitFor(() => expect(result.current.messages).toHaveLength(2), patience);
    const [, said] = await server.events(workshopId, 'chat-message');
    const { startedAt } = result.current.workshopState ?? {};
    const createdAt = new Date(said?.at ?? 0);
    expect(reply).toMatchObject({ version: said?.version });
    expect(result.current.messages[1]).toEqual({
      id: said?.version,
      userId: 2,
      displayName: 'User 2',
      avatarUrl: null,
      message: 'thank you',
      offsetMs: createdAt.getTime() - (startedAt?.getTime() ?? 0),
      createdAt,
    });
  });

  it('shows a deleted message as null, and leaves the others the same objects', async () => {
    const result = await enter();
    await act(() => result.current.sendMessage('kept'));
    await act(() => result.current.sendMessage('regretted'));
    await waitFor(() => expect(result.current.messages).toHaveLength(2), patience);
    const [kept, regretted] = result.current.messages;
    expect(await act(() => result.current.deleteMessage(regretted?.id ?? 0))).toMatchObject({ ok: true });
    await waitFor(() => expect(result.current.messages[1]?.message).toBeNull(), patience);
    expect(result.current.messages[0]).toBe(kept);
  });

  it('says once what was cut off before it was acknowledged', async () => {
    const result = await enter();
    server.network.deafen();
    const sent = result.current.sendMessage('once');
    const said = () => server.events(workshopId, 'chat-message');
    await until(async () => (await said()).length === 1, { what: 'the message to have been recorded' });
    server.network.cut();
    server.network.mend();
    const [recorded] = await said();
    expect(await act(() => sent)).toMatchObject({ ok: true, changed: true, version: recorded?.version });
    const shown = () => result.current.messages.map(({ message }) => message);
    await waitFor(() => expect(shown()).toEqual(['once']), patience);
    expect(await said()).toHaveLength(1);
  });

  it('shows what was said while the connection was away, and then what one wrote meanwhile', async () => {
    await server.does(3, 'join', workshopId);
    const result = await enter();
    server.network.sever();
    await waitFor(() => expect(result.current.connected).toBe(false), patience);
    const sent = result.current.sendMessage('from the tunnel');
    for (const message of ['one', 'two', 'three']) await server.does(3, 'chat', workshopId, { message });
    server.network.mend();
    expect(await act(() => sent)).toMatchObject({ ok: true, changed: true });
    const shown = () => result.current.messages.map(({ message }) => message);
    await waitFor(() => expect(shown()).toEqual(['one', 'two', 'three', 'from the tunnel']), patience);
  });

  it('shares the join and the view of useWorkshopSocket with any number of components', async () => {
    const sent: string[] = [];
    const page = render(<Speakers onSent={(name) => sent.push(name)} />);
    const button = page.getByRole('button');
    await waitFor(() => expect(button.hasAttribute('disabled')).toBe(false), patience);
    act(() => button.click());
    await waitFor(() => expect(page.getAllByText('hello')).toHaveLength(2), patience);
    expect(sent).toEqual(['workshop:join', 'workshop:chat']);
  });
});
