/** Servers as processes, tokens for them, and workshops on them. */
import { SignJWT } from 'jose';
import { type RunningProcess, startProcess } from '../test/kit/process.ts';

export const secret = 'a secret of the benchmark, longer than thirty-two';
/** Runs TypeScript as it is. */
export const sources = new URL('../test/kit/sources.js', import.meta.url).href;
export const workshop = new URL('../bin/workshop.js', import.meta.url).pathname;

export interface Served {
  process: RunningProcess;
  url: string;
}

/** A program that prints its address as JSON. */
export async function start(args: string[], env: Record<string, string> = {}): Promise<Served> {
  const process = await startProcess({ command: globalThis.process.execPath, args, env });
  const [line] = await process.waitFor(/\{"url".*\}/, 30_000);
  return { process, url: JSON.parse(line).url };
}

/** Live workshops of user 1 with RSVPs of users 2, 3, …; answers with their ids. */
export async function schedule(
  url: string,
  { rooms, members }: { rooms: number; members: number },
): Promise<number[]> {
  const ids: number[] = [];
  for (let room = 0; room < rooms; room++) {
    const plan = { title: 'Bench', scheduledAt: new Date().toISOString() };
    const { id } = await post(url, 1, '/api/workshops', plan);
    await post(url, 1, `/api/workshops/${id}/start`);
    await Promise.all(
      Array.from({ length: members }, (_, n) => post(url, 2 + n, `/api/workshops/${id}/rsvp`)),
    );
    ids.push(id);
  }
  return ids;
}

async function post(url: string, user: number, path: string, body?: object) {
  const headers = { authorization: `Bearer ${await token(user)}`, 'content-type': 'application/json' };
  const request = { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) };
  const answer = await fetch(url + path, request);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

const tokens = new Map<number, Promise<string>>();

export function token(user: number): Promise<string> {
  const made =
    tokens.get(user) ??
    new SignJWT({ name: `User ${user}` })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(String(user))
      .setExpirationTime('1h')
      .sign(Buffer.from(secret));
  tokens.set(user, made);
  return made;
}
