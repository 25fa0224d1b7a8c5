/** `docs/reference/limits.md`: what is counted, on whose account, and how much of it goes through. */
import { commandNames, commandOf } from '../../src/domain/catalog.ts';
import { admissionSettings } from '../../src/lib/socket/admission.ts';
import { readerSettings } from '../../src/lib/socket/readers.ts';
import {
  allowancesOf,
  isModerating,
  kindOf,
  kinds,
  layers,
  limitTable,
  socketsOfUser,
} from '../../src/limits/table.ts';
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
  const { points, seconds } = allowance;
  const time = seconds > 3_600 ? `${seconds / 3_600} h` : `${seconds} s`;
  return `${points.toLocaleString('en')} in ${time}`;
}

const introduction = `
All of them times \`RATE_LIMIT_SCALE\`; with 0 there are none, and moderating, scheduling and sockets are never scaled below what
people do. The seconds begin with the first that is counted. What one account
refuses is not counted on the wider ones to the right of it, so a flooder uses up nobody else's. An address counts as itself, an
IPv6 address as its /64.

Over a socket what exceeds a limit is refused with \`rate_limited\` and \`retryAfterMs\`, a handshake with the \`connect_error\`
\`rate_limited\` and \`data.retryAfterMs\`, a request with 429 and \`Retry-After\`.`;

const overSockets = commandNames.filter((name) => commandOf(name).via === 'socket');
const moderating = overSockets.filter(isModerating);
const freeCommands = overSockets.filter((name) => kindOf(name) === undefined);

const free = `
## Never held up

${codes(freeCommands.map(wireName))} has no limit of its own. Moderating, lowering a hand and deleting a message are held up at the pace of
programs alone, as \`moderate\`: ${codes(moderating.map(wireName))},
and \`DELETE /api/workshops/:id/chat/:messageId\`. That they are messages (or requests) is counted like everything else there.
Addresses outside \`/api\` (health, metrics, the page, the documentation) have no limit here.`;

const others = `
## Of a node

- Sockets: a user has ${socketsOfUser.most} at once. One more is refused with the \`connect_error\` \`rate_limited\`; those that are there stay.
- Joins: ${admissionSettings.atOnce} are under way at once, the others wait in the order of coming. Who would wait longer than ${admissionSettings.patienceMs / 1_000} s is refused with
  \`rate_limited\` and a \`retryAfterMs\` left partly to chance, so that not all come back at once.
- Readers: a socket is closed with \`slow_consumer\` when more than ${readerSettings.maxBytes.toLocaleString('en')} bytes wait for it and they grow, or are not read at all
  for ${readerSettings.stalledFullMs / 1_000} s; and when less than that waits and none of it is read for ${readerSettings.stalledMs / 1_000} s.`;
