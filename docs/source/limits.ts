/** `docs/reference/limits.md`: what is counted, on whose account, and how much of it goes through. */
import { commandNames, commandOf } from '../../src/domain/catalog.ts';
import { admissionSettings } from '../../src/lib/socket/admission.ts';
import { readerSettings } from '../../src/lib/socket/readers.ts';
import { allowancesOf, isFree, kinds, layers, limitTable } from '../../src/limits/table.ts';
import { wireName } from '../../src/protocol/wire.ts';
import { code, codes, heading, page, table } from './markdown.ts';

export function limitsPage(): string {
  return page(
    heading('Limits', '`src/limits/table.ts`, `src/lib/socket/admission.ts` and `src/lib/socket/readers.ts`'),
    introduction,
    table(
      ['kind', 'what is counted', ...layers.map((layer) => `per ${layer}`)],
      kinds.map((kind) => [code(kind), limitTable[kind].counts, ...layers.map((layer) => cell(kind, layer))]),
    ),
    free,
    others,
  );
}

function cell(kind: (typeof kinds)[number], layer: (typeof layers)[number]): string {
  const allowance = allowancesOf(kind)[layer];
  if (allowance === undefined) return '–';
  return `${allowance.points.toLocaleString('en')} in ${allowance.seconds} s`;
}

const introduction = `
All of them times \`RATE_LIMIT_SCALE\`; with 0 there are none. The seconds begin with the first that is counted. What one account
refuses is not counted on the wider ones to the right of it, so a flooder uses up nobody else's. An address counts as itself, an
IPv6 address as its /64.

Over a socket what exceeds a limit is refused with \`rate_limited\` and \`retryAfterMs\`, a handshake with the \`connect_error\`
\`rate_limited\` and \`data.retryAfterMs\`, a request with 429 and \`Retry-After\`.`;

const freeCommands = commandNames.filter((name) => commandOf(name).via === 'socket' && isFree(name));

const free = `
## Never held up

Leaving, lowering a hand, moderating and deleting a message: ${codes(freeCommands.map(wireName))},
and \`DELETE /api/workshops/:id/chat/:messageId\`. That they are messages (or requests) is counted like everything else there.
Addresses outside \`/api\` (health, metrics, the page, the documentation) have no limit here.`;

const others = `
## Of a node

- Joins: ${admissionSettings.atOnce} are under way at once, the others wait in the order of coming. Who would wait longer than ${admissionSettings.patienceMs / 1_000} s is refused with
  \`rate_limited\` and a \`retryAfterMs\` left partly to chance, so that not all come back at once.
- Readers: a socket is closed with \`slow_consumer\` when more than ${readerSettings.maxBytes.toLocaleString('en')} bytes wait for it and they grow, or are not read at all
  for ${readerSettings.stalledFullMs / 1_000} s; and when less than that waits and none of it is read for ${readerSettings.stalledMs / 1_000} s.`;
