// @vitest-environment jsdom
import { renderHook, waitFor, cleanup } from '@testing-library/react';
import { expect, it } from 'vitest';
import { useWorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { served, token } from './served.ts';
it('x', async () => {
  const s = await served();
  const id = await s.liveWorkshop();
  await s.does(3, 'join', id);
  const t = await token(2);
  const h = renderHook(() => useWorkshopSocket(id, { url: s.url, token: t }));
  await waitFor(() => expect(h.result.current.workshopState).not.toBeNull());
  console.log(h.result.current.attendees, h.result.current.userId);
  cleanup();
  await s.clear();
  await s.close();
});
