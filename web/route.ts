/** Which page the address names; going somewhere is a step that the back button undoes. */
import { useCallback, useEffect, useState } from 'react';
import { basePath } from './shared/base.ts';

export type Route = { page: 'home' } | { page: 'room'; workshopId: number } | { page: 'admin' };

export function useRoute(): [Route, (to: Route) => void] {
  const [route, setRoute] = useState(readAddress);
  useEffect(() => {
    // An address of before, or one that names nothing, becomes the one that it leads to.
    const read = readAddress();
    if (location.pathname + location.search !== addressOf(read))
      history.replaceState(null, '', addressOf(read));
    const follow = () => setRoute(readAddress());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  const goTo = useCallback((to: Route) => {
    history.pushState(null, '', addressOf(to));
    setRoute(to);
  }, []);
  return [route, goTo];
}

function addressOf(route: Route): string {
  if (route.page === 'room') return `${basePath}/w/${route.workshopId}`;
  return route.page === 'admin' ? `${basePath}/admin` : `${basePath}/`;
}

function readAddress(): Route {
  const { pathname, search } = location;
  const path = pathname.startsWith(basePath) ? pathname.slice(basePath.length) : pathname;
  if (/^\/admin\/?$/.test(path)) return { page: 'admin' };
  const [, named] = /^\/w\/(\d+)\/?$/.exec(path) ?? [];
  // `/?workshop=7` is how links were written before.
  const id = Number(named ?? new URLSearchParams(search).get('workshop'));
  return Number.isSafeInteger(id) && id > 0 ? { page: 'room', workshopId: id } : { page: 'home' };
}
