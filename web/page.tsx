/** The page at `/`: sign in by name, choose or schedule a workshop, be in its room. `/?workshop=<id>` leads straight there. */
import { StrictMode, useCallback, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { User } from './api.ts';
import { basePath } from './base.ts';
import { noteMe, readMe } from './me.ts';
import { Room } from './Room.tsx';
import { SignIn } from './SignIn.tsx';
import { Workshops } from './Workshops.tsx';

function Page() {
  const [me, setMe] = useState(readMe);
  const [workshopId, goTo] = useWorkshopInAddress();
  const [expired, setExpired] = useState(false);

  const signedIn = (user: User) => {
    noteMe(user);
    setMe(user);
    setExpired(false);
  };
  const signedOut = useCallback(() => {
    noteMe(null);
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
    history.pushState(null, '', next === null ? `${basePath}/` : `${basePath}/?workshop=${next}`);
    setId(next);
  }, []);
  return [id, goTo];
}

function readAddress(): number | null {
  const id = Number(new URLSearchParams(location.search).get('workshop'));
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

const place = document.getElementById('page');
if (place !== null)
  createRoot(place).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
