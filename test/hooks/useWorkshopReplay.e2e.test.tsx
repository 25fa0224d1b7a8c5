// @vitest-environment jsdom
/** A past room in React, against the server, beside the live hooks whose shapes it has. */
import { setTimeout as sleep } from 'node:timers/promises';
import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { useWorkshopChat } from '../../src/hooks/useWorkshopChat.ts';
import { useWorkshopReplay } from '../../src/hooks/useWorkshopReplay.ts';
import { useWorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { type Served, served, token } from './served.ts';

let server: Served;
const [host, two] = [token(1), token(2)];
const patience = { timeout: 8_000 };

beforeAll(async () => {
  server = await served();
});
afterAll(() => server.close());
afterEach(async () => {
  cleanup();
  await server.clear();
});

it('[H10] has at the newest version what the live hooks have, in their shapes', async () => {
  const workshopId = await server.liveWorkshop();
  const live = renderHook(() => {
    const room = useWorkshopSocket(workshopId, { url: server.url, token: two });
    return { ...room, ...useWorkshopChat(room.socket, workshopId) };
  });
  await waitFor(() => expect(live.result.current.joined).toBe(true), patience);
  await server.does(3, 'join', workshopId);
  await server.does(3, 'raise-hand', workshopId);
  const said = await server.does(3, 'chat', workshopId, { message: 'here' });
  await waitFor(() => expect(live.result.current.messages).toHaveLength(1), patience);

  const past = renderHook(() => useWorkshopReplay(workshopId, { url: server.origin, token: host }), {
    wrapper: StrictMode,
  });
  expect(past.result.current).toMatchObject({ phase: 'loading', workshopState: null, attendees: [] });
  await waitFor(() => expect(past.result.current.phase).toBe('ready'), patience);
  act(() => past.result.current.seekVersion(said));
  await waitFor(() => expect(past.result.current.version).toBe(said), patience);
  const { workshopState, attendees, attendeeCount, raisedHands, messages } = live.result.current;
  expect(past.result.current).toMatchObject({
    ...{ workshopState, attendees, attendeeCount, raisedHands, messages },
    ...{ isOpen: true, playing: false, speed: 1 },
    durationMs: expect.any(Number),
  });
  expect(past.result.current.offsetMs).toBe(messages[0]?.offsetMs);

  // What did not change stays the same object.
  const { seek, play, attendees: before } = past.result.current;
  act(() => past.result.current.setSpeed(4));
  expect(past.result.current).toMatchObject({ seek, play, speed: 4 });
  expect(past.result.current.attendees).toBe(before);
  act(() => seek(0));
  await waitFor(() => expect(past.result.current).toMatchObject({ offsetMs: 0, attendeeCount: 0 }), patience);
  live.unmount();
});

it('[H11] leaps over idle time where one wishes, and stands still where one does not', {
  timeout: 40_000,
}, async () => {
  const workshopId = await server.liveWorkshop();
  await server.does(2, 'join', workshopId);
  await server.does(2, 'chat', workshopId, { message: 'well?' });
  await sleep(7_000);
  const said = await server.does(2, 'chat', workshopId, { message: 'well!' });
  await server.rest(1, 'POST', `/api/workshops/${workshopId}/end`);

  const { result } = renderHook(() => useWorkshopReplay(workshopId, { url: server.origin, token: host }));
  await waitFor(() => expect(result.current.phase).toBe('ready'), patience);
  const length = result.current.durationMs ?? 0;
  expect(length).toBeGreaterThan(7_000);
  const timed = async (skipsIdle: boolean) => {
    const began = performance.now();
    act(() => {
      result.current.setSkipsIdle(skipsIdle);
      result.current.play();
    });
    await waitFor(() => expect(result.current.messages).toHaveLength(1), { timeout: 10_000, interval: 10 });
    await waitFor(() => expect(result.current.playing).toBe(false), { timeout: 15_000, interval: 10 });
    expect(result.current.version).toBeGreaterThan(said);
    return performance.now() - began;
  };
  expect(await timed(true)).toBeLessThan(length - 4_000);
  expect(await timed(false)).toBeGreaterThan(length - 500);
});
