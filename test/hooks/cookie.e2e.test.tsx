// @vitest-environment jsdom
/**
 * Signed in by cookie, as pages are, from another origin that the server allows. socket.io-client is its own browser build
 * here: over the window's WebSocket it sends the window's cookies and origin, which the build that Node gets does not.
 */
import { cleanup, renderHook, waitFor } from '@testing-library/react';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { useWorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { type Served, served, token } from './served.ts';

// @ts-expect-error: the build has no types of its own; they are those of the package
vi.mock('socket.io-client', () => import('socket.io-client/dist/socket.io.js'));

let server: Served;
let workshopId: number;
let madeBefore: number;

beforeAll(async () => {
  server = await served({ CORS_ORIGINS: window.location.origin });
});
afterAll(() => server.close());

beforeEach(async () => {
  workshopId = await server.liveWorkshop();
  madeBefore = server.network.made();
});
afterEach(async () => {
  cleanup();
  signIn('');
  await server.clear();
});

/** How long a token of the shortest kind and the wait before a reconnect take together, in milliseconds, and some more. */
const patience = { timeout: 8_000 };
const connections = () => server.network.made() - madeBefore;

function signIn(cookie: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the one way to set a cookie that jsdom has
  document.cookie = `workshop_token=${cookie}; path=/`;
}

async function enter() {
  // Cookies know hosts and no ports: the page's host is this one.
  const url = server.url.replace('127.0.0.1', 'localhost');
  const { result } = renderHook(() => useWorkshopSocket(workshopId, { url }));
  await waitFor(() => expect(result.current.workshopState).not.toBeNull(), patience);
  return result;
}

it('connects with the cookie, and knows from the server who one is', async () => {
  signIn(token(2));
  const result = await enter();
  expect(result.current).toMatchObject({ joined: true, userId: 2, error: null });
  expect(connections()).toBe(1);
});

it('reconnects with the cookie as it then is when the sign-in has expired', async () => {
  signIn(token(2, 2));
  const result = await enter();
  signIn(token(3));
  await waitFor(
    () => expect(result.current).toMatchObject({ joined: true, userId: 3, error: null }),
    patience,
  );
  expect(connections()).toBe(2);
});

it('stops when the cookie is gone by then, and goes on when told that one signed in again', async () => {
  signIn(token(2, 2));
  const result = await enter();
  signIn('');
  await waitFor(() => expect(result.current.error?.code).toBe('unauthenticated'), patience);
  expect(result.current.connected).toBe(false);
  signIn(token(2));
  result.current.retryNow();
  await waitFor(() => expect(result.current).toMatchObject({ joined: true, error: null }), patience);
  expect(connections()).toBe(3);
});
