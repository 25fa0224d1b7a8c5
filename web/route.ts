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
    // An address of before, or one that names nothing, becomes the one that it leads to.
    const read = readAddress();
    // What a timeline has after its path – moment, speed, filters – is its own.
    const { pathname, search } = location;
    if ((read.page === 'timeline' ? pathname : pathname + search) !== addressOf(read))
      history.replaceState(null, '', addressOf(read) + (read.page === 'timeline' ? search : ''));
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
  switch (route.page) {
    case 'home':
      return `${basePath}/`;
    case 'room':
      return `${basePath}/w/${route.workshopId}`;
    case 'timeline':
      return `${basePath}/w/${route.workshopId}/timeline`;
    case 'admin':
      return `${basePath}/admin`;
  }
}

function readAddress(): Route {
  const { pathname, search } = location;
  const path = pathname.startsWith(basePath) ? pathname.slice(basePath.length) : pathname;
  if (/^\/admin\/?$/.test(path)) return { page: 'admin' };
  const [, named, after] = /^\/w\/(\d+)(\/timeline)?\/?$/.exec(path) ?? [];
  // `/?workshop=7` is how links were written before.
  const id = Number(named ?? new URLSearchParams(search).get('workshop'));
  if (!Number.isSafeInteger(id) || id <= 0) return { page: 'home' };
  return { page: after === undefined ? 'room' : 'timeline', workshopId: id };
}
