/**
 * A webhook's secret: what deliveries are signed with, as Standard Webhooks has it (https://www.standardwebhooks.com), and how it is kept.
 * In the database it is encrypted under a key from the configuration: who reads the table cannot sign.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const prefix = 'whsec_';
const secretBytes = 32;
const [algorithm, nonceBytes, tagBytes] = ['aes-256-gcm', 12, 16] as const;

/** `whsec_` and base64. */
export const newSecret = (): string => `${prefix}${randomBytes(secretBytes).toString('base64')}`;

export interface Seal {
  seal(secret: string): string;
  /** Throws `SealBroken` where it was sealed under another key. */
  open(sealed: string): string;
}

/** The secret cannot be read any more: what it was sealed under is not what the configuration has. */
export class SealBroken extends Error {
  override name = 'SealBroken';
}

/** For processes that have no secret in common: nothing is made, and nothing can be delivered. */
export const noSeal: Seal = {
  seal() {
    throw new SealBroken('webhooks need a secret that all processes have: set WEBHOOK_SECRET');
  },
  open() {
    throw new SealBroken(
      'its secret cannot be read: this process has neither WEBHOOK_SECRET nor AUTH_SECRET',
    );
  },
};

/** `secret` is what the processes that make and deliver webhooks have in common. */
export function sealedUnder(secret: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'workshop webhook secrets', 32));
  return {
    seal(plain) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce);
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes));
        decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        const body = bytes.subarray(nonceBytes + tagBytes);
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new SealBroken(
          'its secret cannot be read: WEBHOOK_SECRET or AUTH_SECRET is another one now; make the webhook anew',
          { cause },
        );
      }
    },
  };
}

/** The headers that say who sends what, and when. `at` is in milliseconds since 1970. */
export function signed(secret: string, { id, at, body }: { id: string; at: number; body: string }) {
  const timestamp = String(Math.floor(at / 1_000));
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
