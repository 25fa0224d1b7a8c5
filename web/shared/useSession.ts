/** Who is signed in: what the server takes the cookie for, and until it has answered what was noted here. */
import { useCallback, useEffect, useState } from 'react';
import { api, type Session, type User } from './api.ts';
import { noteMe, readMe } from './me.ts';
import { setServerClock } from './serverClock.ts';

export interface SessionView {
  me: User | null;
  /** null until the server has told. */
  session: Session | null;
  /** The sign-in had been good and is not any more. */
  expired: boolean;
  signedIn(user: User): void;
  signedOut(): void;
  /** Asks for a name again, as whom one is. */
  forget(): void;
  /** Asks the server again. */
  refresh(): void;
}

export function useSession(): SessionView {
  const [me, setMe] = useState(readMe);
  const [session, setSession] = useState<Session | null>(null);
  const [expired, setExpired] = useState(false);

  const refresh = useCallback(async () => {
    const askedAt = Date.now();
    const answer = await api.session();
    if (!answer.ok) return;
    setServerClock(answer.value.now, askedAt, Date.now());
    setSession(answer.value);
    const { user } = answer.value;
    if (user === null) return;
    noteMe(user);
    setMe((before) =>
      before?.userId === user.userId && before.displayName === user.displayName ? before : user,
    );
  }, []);
  useEffect(() => void refresh(), [refresh]);

  const signedIn = useCallback(
    (user: User) => {
      noteMe(user);
      setMe(user);
      setExpired(false);
      void refresh();
    },
    [refresh],
  );
  const signedOut = useCallback(() => {
    noteMe(null);
    setMe(null);
    setExpired(true);
  }, []);
  const forget = useCallback(() => setMe(null), []);
  return { me, session, expired, signedIn, signedOut, forget, refresh };
}
