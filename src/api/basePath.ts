/**
 * A path before ours: `/rooms` where `PUBLIC_URL` is `https://example.org/rooms`. Some proxies take it off before they pass a request
 * on and others leave it there: both reach the same routes and sockets, which know nothing of it.
 */
import type { IncomingMessage, Server } from 'node:http';

/** The address without that path, or as it is where it does not begin with it. */
export function servedUnder(basePath: string, url: string): string {
  const isUnder = basePath !== '' && url.startsWith(basePath) && /^([/?]|$)/.test(url.slice(basePath.length));
  return isUnder ? url.slice(basePath.length).replace(/^(?!\/)/, '/') : url;
}

/** To be called when everyone else listens to the server already. */
export function serveUnder(basePath: string, server: Server): void {
  if (basePath === '') return;
  const takeOff = (request: IncomingMessage) => {
    request.url = servedUnder(basePath, request.url ?? '/');
  };
  server.prependListener('request', takeOff).prependListener('upgrade', takeOff);
}
