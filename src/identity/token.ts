/**
 * Who calls, by a JSON Web Token (RFC 7519, checked as RFC 8725 advises): the algorithms are fixed by the configuration and
 * never taken from the token. Guests are signed in with a key of their own, derived from the secret, so that no token from
 * elsewhere can name a guest and no guest's token anyone else.
 */
import { createSecretKey, hkdfSync, type KeyObject, randomInt } from 'node:crypto';
import {
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose';
import { z } from 'zod';
import type { User } from '../domain/define.ts';
import { displayName, httpsUrl } from '../domain/text.ts';
import { CodedError } from '../protocol/errors.ts';
import { pause } from '../timing/retry.ts';

export interface Identity {
  user: User;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

export interface Tokens {
  /** Who the token names. Rejects with `unauthenticated` and never says why to the caller. */
  verify(token: string): Promise<Identity>;
  /** A token for a new guest, or undefined where guests are not signed in. */
  guest(displayName: string): Promise<{ token: string; identity: Identity }> | undefined;
}

export interface TokenSettings {
  secret?: string | undefined;
  jwksUrl?: string | undefined;
  issuer?: string | undefined;
  audience?: string | undefined;
  guests: boolean;
  /** How soon after a look at the key set one may look again for a key that was not there, in milliseconds. */
  lookAgainMs?: number | undefined;
}

/** Guest ids are random from here on; everyone else's are below. */
export const firstGuestId = 2 ** 52;
const guestHours = 12;
const clockToleranceSeconds = 5;
const maxTokenLength = 8_192;
const usualLookAgainMs = 2_000;
const guestKeyId = 'guest';

export const roles = ['analyst', 'admin'] as const;
const isRole = (role: string): role is (typeof roles)[number] => roles.some((each) => each === role);

const claims = z.object({
  sub: z
    .string()
    .regex(/^[1-9]\d{0,15}$/)
    .transform(Number)
    .refine(Number.isSafeInteger),
  name: displayName,
  picture: httpsUrl.optional(),
  // Until the end of what a Date can hold.
  exp: z.number().max(8.64e12),
  roles: z.array(z.string()).optional(),
});

export function tokens(settings: TokenSettings): Tokens {
  const secret = settings.secret === undefined ? undefined : createSecretKey(Buffer.from(settings.secret));
  const guestKey =
    settings.secret === undefined || !settings.guests ? undefined : deriveGuestKey(settings.secret);
  const keySet = settings.jwksUrl === undefined ? undefined : keySetAt(new URL(settings.jwksUrl), settings);
  const common = { requiredClaims: ['sub', 'exp', 'name'], clockTolerance: clockToleranceSeconds };
  const expected = {
    ...common,
    ...(settings.issuer !== undefined && { issuer: settings.issuer }),
    ...(settings.audience !== undefined && { audience: settings.audience }),
  };

  async function payloadOf(token: string): Promise<{ payload: JWTPayload; guest: boolean }> {
    // The key id chooses between two keys that are both fixed; it never brings one along.
    if (guestKey !== undefined && decodeProtectedHeader(token).kid === guestKeyId) {
      const { payload } = await jwtVerify(token, guestKey, { ...common, algorithms: ['HS256'] });
      return { payload, guest: true };
    }
    if (keySet !== undefined) {
      const algorithms = ['RS256', 'ES256', 'EdDSA'];
      const { payload } = await jwtVerify(token, keySet, { ...expected, algorithms });
      return { payload, guest: false };
    }
    if (secret === undefined) throw new CodedError('unauthenticated');
    const { payload } = await jwtVerify(token, secret, { ...expected, algorithms: ['HS256'] });
    return { payload, guest: false };
  }

  return {
    async verify(token) {
      if (token.length > maxTokenLength) throw new CodedError('unauthenticated');
      try {
        const { payload, guest } = await payloadOf(token);
        const { sub, name, picture, exp, roles: given = [] } = claims.parse(payload);
        if (sub >= firstGuestId !== guest) throw new CodedError('unauthenticated');
        return {
          expiresAt: exp * 1_000,
          user: {
            kind: 'user',
            userId: sub,
            displayName: name,
            avatarUrl: picture ?? null,
            roles: given.filter(isRole),
          },
        };
      } catch (cause) {
        if (isUnreachable(cause))
          throw new CodedError('unavailable', 'the signing keys cannot be fetched', { cause });
        throw new CodedError('unauthenticated', undefined, { cause });
      }
    },
    guest(name) {
      return guestKey === undefined ? undefined : signGuest(guestKey, name);
    },
  };
}

/** Who may be signed in with a shared secret, and until when. */
export interface Claims {
  userId: number;
  displayName: string;
  avatarUrl?: string | undefined;
  roles?: readonly string[];
  /** Milliseconds since 1970, taken down to the second. */
  expiresAt: number;
}

/** A token as an application would sign it with `AUTH_SECRET`. */
export function signToken(
  { secret, issuer, audience }: Pick<TokenSettings, 'issuer' | 'audience'> & { secret: string },
  { userId, displayName, avatarUrl, roles = [], expiresAt }: Claims,
): Promise<string> {
  const token = new SignJWT({
    name: displayName,
    ...(avatarUrl !== undefined && { picture: avatarUrl }),
    ...(roles.length > 0 && { roles: [...roles] }),
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(String(userId))
    .setExpirationTime(Math.floor(expiresAt / 1_000));
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(createSecretKey(Buffer.from(secret)));
}

/** Who the first of these tokens names that is valid. Rejects as `verify` does. */
export async function firstValid(tokens: Tokens, candidates: readonly string[]): Promise<Identity> {
  let failure: unknown = new CodedError('unauthenticated');
  for (const token of candidates) {
    try {
      return await tokens.verify(token);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/**
 * The keys that a provider publishes. A provider may begin to sign with a key right after somebody looked: a token of a key that
 * is not there waits until one may look again, and is refused only by a look that came after it.
 */
function keySetAt(url: URL, { lookAgainMs = usualLookAgainMs }: TokenSettings): JWTVerifyGetKey {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const keySet = createRemoteJWKSet(url, {
    cooldownDuration: lookAgainMs,
    [customFetch](...request) {
      lookedAt = performance.now();
      return fetch(...request);
    },
  });

  async function lookAgain(): Promise<void> {
    await pause(Math.max(lookedAt + lookAgainMs - performance.now(), 0));
    await keySet.reload();
  }

  return async (header, token) => {
    const asked = performance.now();
    for (;;) {
      try {
        return await keySet(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || lookedAt >= asked) throw error;
      }
      looking ??= lookAgain().finally(() => {
        looking = undefined;
      });
      await looking;
    }
  };
}

function deriveGuestKey(secret: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'workshop guest tokens', 32)));
}

async function signGuest(key: KeyObject, name: string): Promise<{ token: string; identity: Identity }> {
  // randomInt spans 2^48 at most: 2^52 ids are a high and a low half.
  const userId = firstGuestId + randomInt(2 ** 26) * 2 ** 26 + randomInt(2 ** 26);
  const expires = Math.floor(Date.now() / 1_000) + guestHours * 3_600;
  const token = await new SignJWT({ name })
    .setProtectedHeader({ alg: 'HS256', kid: guestKeyId })
    .setSubject(String(userId))
    .setExpirationTime(expires)
    .sign(key);
  const user: User = { kind: 'user', userId, displayName: name, avatarUrl: null, roles: [] };
  return { token, identity: { user, expiresAt: expires * 1_000 } };
}

/** The key server's fault and not the token's. */
function isUnreachable(cause: unknown): boolean {
  if (cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid) return true;
  // jose's own word for an answer that is no success or no JSON; what is wrong with a token has a code of its own.
  if (cause instanceof errors.JOSEError && cause.code === 'ERR_JOSE_GENERIC') return true;
  return cause instanceof TypeError && cause.message.includes('fetch');
}
