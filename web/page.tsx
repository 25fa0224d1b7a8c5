/** The page at `/`: sign in by name, choose or schedule a workshop, be in its room. `/?workshop=<id>` leads straight there. */
import { StrictMode, useCallback, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { User } from './api.ts';
import { Room } from './Room.tsx';
import { SignIn } from './SignIn.tsx';
import { Workshops } from './Workshops.tsx';

const meKey = 'workshop-rooms.me';

function Page() {
  const [me, setMe] = useState(readMe);
  const [workshopId, goTo] = useWorkshopInAddress();
  const [expired, setExpired] = useState(false);

  const signedIn = (user: User) => {
    localStorage.setItem(meKey, JSON.stringify(user));
    setMe(user);
    setExpired(false);
  };
  const signedOut = useCallback(() => {
    localStorage.removeItem(meKey);
    setMe(null);
    setExpired(true);
  }, []);

  if (me === null) return <SignIn expired={expired} invited={workshopId !== null} onSignedIn={signedIn} />;
  if (workshopId === null)
    return <Workshops me={me} onChoose={goTo} onSignedOut={signedOut} onRename={() => setMe(null)} />;
  return (
    <Room
      key={workshopId}
      me={me}
      workshopId={workshopId}
      onExit={() => goTo(null)}
      onSignedOut={signedOut}
    />
  );
}

/** Which workshop the address names; going somewhere is a step that the back button undoes. */
function useWorkshopInAddress(): [number | null, (id: number | null) => void] {
  const [id, setId] = useState(readAddress);
  useEffect(() => {
    const follow = () => setId(readAddress());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  const goTo = useCallback((next: number | null) => {
    history.pushState(null, '', next === null ? '/' : `/?workshop=${next}`);
    setId(next);
  }, []);
  return [id, goTo];
}

function readAddress(): number | null {
  const id = Number(new URLSearchParams(location.search).get('workshop'));
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

/** The cookie is out of a script's reach, so who signed in is noted beside it. */
function readMe(): User | null {
  try {
    const noted: unknown = JSON.parse(localStorage.getItem(meKey) ?? 'null');
    if (typeof noted !== 'object' || noted === null || !('userId' in noted) || !('displayName' in noted))
      return null;
    const { userId, displayName } = noted;
    return typeof userId === 'number' && typeof displayName === 'string' ? { userId, displayName } : null;
  } catch {
    // Someone else's note under our key: sign in again.
    return null;
  }
}

const place = document.getElementById('page');
if (place !== null)
  createRoot(place).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
