'use client';
import { useRouter } from 'next/navigation';

async function post(path: string, body?: object) {
  const headers = body ? { 'content-type': 'application/json' } : undefined;
  const answer = await fetch(path, { method: 'POST', headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export function BeginWorkshop() {
  const router = useRouter();
  const begin = async () => {
    const { id } = await post('/api/workshops', { title: 'Rye', scheduledAt: new Date().toISOString() });
    await post(`/api/workshops/${id}/start`);
    router.push(`/rooms/${id}`);
  };
  return (
    <button type="button" onClick={begin}>
      Begin a workshop
    </button>
  );
}
