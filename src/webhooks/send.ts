/** One delivery: a POST that is answered within ten seconds, follows no redirects, and reads no more of an answer than it needs. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { complaintOf, publicLookup } from './destination.ts';

/** How long the receiver may take until the last byte that is read, in milliseconds. */
export const answerMs = 10_000;
/** Of an answer's body: read so that the connection can be used again, and no further. */
const readBytes = 65_536;

export interface Delivery {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** What came of it. Without a status nothing was answered. */
export type Outcome = { ok: true; status: number } | { ok: false; status: number | null; error: string };

export interface Sender {
  /** Never rejects. */
  send(delivery: Delivery, signal?: AbortSignal): Promise<Outcome>;
  close(): void;
}

export function webhookSender(allowPrivate: boolean): Sender {
  const options = { keepAlive: true, maxFreeSockets: 64, timeout: answerMs };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  const lookup: { lookup?: LookupFunction } = allowPrivate ? {} : { lookup: publicLookup };

  return {
    async send({ url: text, headers, body }, signal) {
      // It was looked at when the webhook was made; what is allowed may be another matter by now.
      const complaint = complaintOf(text, allowPrivate);
      if (complaint !== undefined) return { ok: false, status: null, error: `the address ${complaint}` };
      const url = new URL(text);
      const isSecure = url.protocol === 'https:';
      const within = AbortSignal.timeout(answerMs);
      try {
        const status = await new Promise<number>((resolve, reject) => {
          const asked = (isSecure ? httpsRequest : httpRequest)(url, {
            ...{ method: 'POST', agent: isSecure ? agents.https : agents.http, ...lookup },
            signal: signal === undefined ? within : AbortSignal.any([within, signal]),
            headers: {
              ...headers,
              ...{ 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
              'user-agent': 'workshop-rooms',
            },
          });
          asked.on('error', reject);
          asked.on('response', (answer) => {
            let read = 0;
            answer.on('data', (chunk: Buffer) => {
              read += chunk.length;
              if (read > readBytes) answer.destroy();
            });
            // What counts is said by now.
            answer.on('error', () => undefined);
            answer.on('close', () => resolve(answer.statusCode ?? 0));
          });
          asked.end(body);
        });
        return outcomeOf(status);
      } catch (error) {
        return {
          ok: false,
          status: null,
          error: within.aborted ? `no answer within ${answerMs / 1_000} s` : reasonOf(error),
        };
      }
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return { ok: true, status };
  const error =
    status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}`;
  return { ok: false, status, error };
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
