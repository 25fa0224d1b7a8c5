/**
 * What one sends and the room does not show yet: it stands there at once, is kept over a reload, and is said once however often it
 * is sent, since it keeps its id.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { WorkshopChat } from '../../src/hooks/useWorkshopChat.ts';
import { keptIn } from '../shared/kept.ts';
import { sayRefusal, words } from '../words/words.ts';

export interface Outgoing {
  /** The command's id, a UUID. */
  key: string;
  text: string;
  /** Milliseconds since 1970. */
  sentAt: number;
  /** What went wrong; empty while it is on its way. */
  problem: string;
}

export interface OutgoingMessages {
  outgoing: Outgoing[];
  send(text: string): void;
  again(key: string): void;
  drop(key: string): void;
}

/** The server remembers ids for ten minutes at least: well within that asking again says whether it was said. */
const rememberedMs = 9 * 60_000;

export function useOutgoing(
  workshopId: number,
  sendMessage: WorkshopChat['sendMessage'],
  ready: boolean,
): OutgoingMessages {
  const [kept] = useState(() => keptIn<Outgoing[]>(`outgoing.${workshopId}`, isOutgoing));
  const [outgoing, setOutgoing] = useState<Outgoing[]>(() => kept.read() ?? []);
  const pending = useRef(new Set<string>());
  useEffect(() => kept.write(outgoing.length === 0 ? null : outgoing), [kept, outgoing]);

  const drop = useCallback((key: string) => setOutgoing((all) => all.filter((one) => one.key !== key)), []);
  const deliver = useCallback(
    ({ key, text }: Outgoing) => {
      if (pending.current.has(key)) return;
      pending.current.add(key);
      void sendMessage(text, { commandId: key }).then((reply) => {
        pending.current.delete(key);
        if (reply.ok) return drop(key);
        const problem = sayRefusal(reply.error);
        setOutgoing((all) => all.map((one) => (one.key === key ? { ...one, problem } : one)));
      });
    },
    [sendMessage, drop],
  );

  // What an earlier page did not hear about is asked for again, once there is a room to ask.
  const resumed = useRef(false);
  useEffect(() => {
    if (!ready || resumed.current) return;
    resumed.current = true;
    for (const one of kept.read() ?? []) {
      if (one.problem !== '') continue;
      if (Date.now() - one.sentAt < rememberedMs) deliver(one);
      else {
        const problem = words().chat.interrupted;
        setOutgoing((all) => all.map((each) => (each.key === one.key ? { ...each, problem } : each)));
      }
    }
  }, [ready, kept, deliver]);

  const send = (text: string) => {
    const one = { key: uuid(), text, sentAt: Date.now(), problem: '' };
    setOutgoing((all) => [...all, one]);
    deliver(one);
  };
  const again = (key: string) => {
    const one = outgoing.find((each) => each.key === key);
    if (one === undefined) return;
    const isFresh = Date.now() - one.sentAt < rememberedMs;
    const next = { ...one, problem: '', ...(!isFresh && { key: uuid(), sentAt: Date.now() }) };
    setOutgoing((all) => [...all.filter((each) => each.key !== key), next]);
    deliver(next);
  };
  return { outgoing, send, again, drop };
}

function isOutgoing(noted: unknown): noted is Outgoing[] {
  const isOne = (one: unknown) =>
    typeof one === 'object' &&
    one !== null &&
    ['key', 'text', 'sentAt', 'problem'].every((name) => Object.hasOwn(one, name));
  return Array.isArray(noted) && noted.every(isOne);
}

/** Version 4. `crypto.randomUUID` is there on https alone. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
