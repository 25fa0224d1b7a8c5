// @vitest-environment jsdom
/**
 * Signed in by cookie, as pages are. socket.io-client is its own browser build here: over the window's WebSocket it sends
 * the window's cookies, which the build that Node gets does not.
 */
import { cleanup, renderHook, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useWorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { type RoomServer, roomServer } from '../client/roomServer.ts';

// @ts-expect-error: the build has no types of its own; they are those of the package
vi.mock('socket.io-client', () => import('socket.io-client/dist/socket.io.js'));

let server: RoomServer;

beforeEach(async () => {
  server = await roomServer();
  server.schedule(1);
});

afterEach(async () => {
  cleanup();
  signIn('');
  await server.close();
});

function signIn(token: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the one way to set a cookie that jsdom has
  document.cookie = `workshop_token=${token}; path=/`;
}

// Cookies know hosts and no ports: the page's host is this one.
const room = () => renderHook(() => useWorkshopSocket(1, { url: `http://localhost:${server.port}` }));

it('connects with the cookie', async () => {
  signIn('user-2');
  const { result } = room();
  await waitFor(() => expect(result.current.workshopState).not.toBeNull());
  expect(server.handshakes).toEqual([{ userId: 2, protocol: 1 }]);
});

it('reconnects with the cookie as it is when the sign-in has expired', async () => {
  signIn('user-2');
  const { result } = room();
  await waitFor(() => expect(result.current.joined).toBe(true));
  signIn('user-02');
  server.expire(2);
  await waitFor(() => expect(server.handshakes).toHaveLength(2));
  await waitFor(() => expect(result.current).toMatchObject({ joined: true, error: null }));
});

it('stops when the cookie is gone by then, and goes on when told that one signed in again', async () => {
  signIn('user-2');
  const { result } = room();
  await waitFor(() => expect(result.current.joined).toBe(true));
  signIn('');
  server.expire(2);
  await waitFor(() => expect(result.current.error?.code).toBe('unauthenticated'));
  expect(result.current.connected).toBe(false);
  signIn('user-2');
  result.current.retryNow();
  await waitFor(() => expect(result.current).toMatchObject({ joined: true, error: null }));
  expect(server.handshakes).toHaveLength(3);
});
