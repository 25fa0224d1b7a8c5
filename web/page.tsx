/** The pages: which one the address names, and for whom. */
import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { Home } from './home/Home.tsx';
import { SignIn } from './home/SignIn.tsx';
import { Room } from './room/Room.tsx';
import { useRoute } from './route.ts';
import { PreferencesBar } from './shared/PreferencesBar.tsx';
import { preferences } from './shared/preferences.ts';
import { usePreferences } from './shared/usePreferences.ts';
import { useSession } from './shared/useSession.ts';
import { useWords } from './words/words.ts';

// Loaded when they are looked at: the room's first load is what people wait for.
const Admin = lazy(() => import('./admin/Admin.tsx'));
const Timeline = lazy(() => import('./timeline/Timeline.tsx'));

preferences.load();

function Pages() {
  const [route, goTo] = useRoute();
  const { me, session, expired, signedIn, signedOut, forget, refresh } = useSession();
  const toList = () => goTo({ page: 'home' });
  const toRoom = (workshopId: number) => goTo({ page: 'room', workshopId });

  if (me === null)
    return (
      <SignIn
        expired={expired}
        invited={route.page === 'room'}
        guests={session?.guests ?? true}
        onSignedIn={signedIn}
        onRetry={refresh}
      />
    );
  switch (route.page) {
    case 'home':
      return (
        <Home
          me={me}
          session={session}
          onChoose={toRoom}
          onOperate={() => goTo({ page: 'admin' })}
          onSignedOut={signedOut}
          onRename={forget}
        />
      );
    case 'admin':
      return <Admin onExit={toList} onSignedOut={signedOut} />;
    case 'room':
      return (
        <Room
          key={route.workshopId}
          me={me}
          roles={session?.user?.roles ?? []}
          workshopId={route.workshopId}
          onExit={toList}
          onTimeline={() => goTo({ page: 'timeline', workshopId: route.workshopId })}
          onSignedOut={signedOut}
        />
      );
    case 'timeline':
      return (
        <Timeline
          key={route.workshopId}
          workshopId={route.workshopId}
          onExit={() => toRoom(route.workshopId)}
          onSignedOut={signedOut}
        />
      );
  }
}

function App() {
  const { loading } = useWords();
  usePreferences();
  return (
    <Suspense fallback={<main className="soft">{loading}</main>}>
      <Pages />
      <PreferencesBar />
    </Suspense>
  );
}

const place = document.getElementById('page');
if (place !== null)
  createRoot(place).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
