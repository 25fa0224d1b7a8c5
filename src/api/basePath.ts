/**
 * A path before ours: `/rooms` where `PUBLIC_URL` is `https://example.org/rooms`. Some proxies take it off before they pass a request
 * on and others leave it there: both reach the same routes and sockets, which know nothing of it.
 */
import type { IncomingMessage, Server } from 'node:http';

/** To be called when everyone else listens to the server already. */
export function servedUnder(basePath: string, server: Server): void {
  if (basePath === '') return;
  const takeOff = (request: IncomingMessage) => {
    const { url = '/' } = request;
    if (url.startsWith(basePath) && /^([/?]|$)/.test(url.slice(basePath.length)))
      request.url = url.slice(basePath.length).replace(/^(?!\/)/, '/');
  };
  server.prependListener('request', takeOff).prependListener('upgrade', takeOff);
}
