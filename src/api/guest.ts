/** Signing in as a guest, where the server lets guests in. */
import { stringifySetCookie } from 'cookie';
import { z } from 'zod';
import { displayName } from '../domain/text.ts';
import { cookieName } from '../identity/origin.ts';
import { refused } from './errors.ts';
import { isHttps } from './headers.ts';
import { isEncrypted } from './identity.ts';
import type { Api, RestContext } from './parts.ts';

export function guestRoutes(app: Api, { tokens, origins, config }: RestContext): void {
  app.route({
    method: 'POST',
    url: '/api/guest',
    config: { who: 'anyone' },
    schema: {
      tags: ['Identity'],
      summary: 'Signs in a guest: answers a token and sets it as the cookie `workshop_token`.',
      description: '`forbidden` where the server signs in no guests (`GUESTS`), and to pages of other sites.',
      operationId: 'sign-in-guest',
      body: z.object({ displayName }),
      response: {
        200: z.object({
          token: z.string(),
          user: z.object({
            userId: z.number().int(),
            displayName: z.string(),
            avatarUrl: z.string().nullable(),
          }),
        }),
      },
    },
    async handler(request, reply) {
      // Another site must not sign its visitors in here as somebody.
      if (!origins.isAllowed(request.headers, isEncrypted(request))) throw refused('forbidden');
      const guest = await tokens.guest(request.body.displayName);
      if (guest === undefined) throw refused('forbidden', 'guests are not signed in here');
      const { token, identity } = guest;
      const { userId, displayName, avatarUrl } = identity.user;
      const seconds = Math.max(0, Math.floor((identity.expiresAt - Date.now()) / 1_000));
      const secure = isHttps(request, config);
      reply.header(
        'set-cookie',
        stringifySetCookie(cookieName, token, {
          ...{ maxAge: seconds, path: '/', httpOnly: true, sameSite: 'lax', secure },
        }),
      );
      return { token, user: { userId, displayName, avatarUrl } };
    },
  });
}
