/** Which page the address names; going somewhere is a step that the back button undoes. */
import { useCallback, useEffect, useState } from 'react';
import { basePath } from './shared/base.ts';

export type Route =
  | { page: 'home' }
  | { page: 'room'; workshopId: number }
  | { page: 'timeline'; workshopId: number }
  | { page: 'admin' };

export function useRoute(): [Route, (to: Route) => void] {
  const [route, setRoute] = useState(readAddress);
  useEffect(() => {
    const follow = () => setRoute(readAddress());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  const goTo = useCallback((to: Route) => {
    history.pushState(
      null,
      '',
      to.page === 'room' ? `${basePath}/?workshop=${to.workshopId}` : `${basePath}/`,
    );
    setRoute(to);
  }, []);
  return [route, goTo];
}

function readAddress(): Route {
  const id = Number(new URLSearchParams(location.search).get('workshop'));
  return Number.isSafeInteger(id) && id > 0 ? { page: 'room', workshopId: id } : { page: 'home' };
}
