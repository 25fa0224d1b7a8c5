/** `workshop simulate`: a workshop with people in it, to look at, to try things on, and to test with. */
import { randomInt } from 'node:crypto';
import { readConfig } from '../config.ts';
import { text } from '../domain/text.ts';
import { ticketOf } from '../simulate/tickets.ts';
import { type CliCommand, CommandFailed, type Given, UsageError } from './command.ts';
import { onSignal } from './signals.ts';
import type { Summary, Wish } from './simulation.ts';
import * as says from './simulationText.ts';
import { progressBar } from './terminal.ts';

export const simulate: CliCommand = {
  name: 'simulate',
  summary: 'Plays a workshop with many people in it, from RSVPs to the end, over real sockets.',
  usage: 'workshop simulate [--attendees N] [--minutes N] [--speed N] [--seed N] [--into <url>] [--json]',
  help: {
    '--attendees': 'how many come, beside the host (30)',
    '--minutes': 'from going live to the end (10)',
    '--speed': 'how many times as fast as it would be (60: a minute in a second)',
    '--seed': 'the same seed is the same workshop; drawn and told, if left out',
    '--title': 'its title',
    '--into': 'address of a running server; left out: the one on DATA_DIR, or one of its own there',
    '--token': 'whose workshop it becomes; better given as SIMULATE_TOKEN, which no list of processes shows',
  },
  options: {
    attendees: { type: 'string' },
    minutes: { type: 'string' },
    speed: { type: 'string' },
    seed: { type: 'string' },
    title: { type: 'string' },
    into: { type: 'string' },
    token: { type: 'string' },
  },
  run: async (given) => simulated(wishOf(given), given.values.json === true),
};

async function simulated(given: Wish, json: boolean): Promise<void> {
  const config = readConfig();
  const wish = { ...given, token: given.token ?? config.SIMULATE_TOKEN };
  if (wish.token !== undefined && ticketOf(wish.token) === undefined)
    throw new UsageError('the token of --token or SIMULATE_TOKEN is no JSON Web Token of a user');
  // Loaded when they are needed: what is wrong usage is told at once.
  const [{ openTarget }, { scriptOf, runScript }, { PlayFailed }] = await Promise.all([
    import('./target.ts'),
    import('./simulation.ts'),
    import('../simulate/play.ts'),
  ]);
  const stopped = stopSignal();
  const bar = progressBar({ shown: !json, what: 'starting' });
  const print = (line: string) => {
    bar.clear();
    if (!json) process.stdout.write(line);
  };
  bar.at(0);
  const target = await openTarget(config, wish).finally(() => bar.clear());
  let summary: Summary;
  try {
    const script = scriptOf(wish, target);
    const names = new Map<number, string>();
    const began = { at: 0 };
    const now = () => script.fromMs + (performance.now() - began.at) * wish.speed;
    const share = (atMs: number) => (atMs - script.fromMs) / (script.untilMs - script.fromMs);
    summary = await runScript({
      ...{ wish, config, target, script, signal: stopped.signal },
      signedIn: (count) => bar.at(0, `${count} of ${script.people.length} have signed in`),
      onSignedIn(tickets) {
        print(says.openingText(script, wish.speed, target));
        began.at = performance.now();
        for (const { number, displayName } of script.people)
          names.set(tickets.get(number)?.userId ?? 0, displayName);
      },
      observer: {
        scheduled: (workshopId) => print(says.watchText(target.url, workshopId)),
        progress: (atMs, seen) => bar.at(share(atMs), says.liveText(atMs, seen)),
        heard(number, device, event) {
          if (number !== 1 || device !== 0) return;
          const said = says.highlight(event, (userId) => names.get(Number(userId)) ?? `user ${userId}`);
          if (said !== undefined) print(`  ${says.clock(now()).padStart(8)}  ${said}\n`);
        },
      },
    });
  } catch (error) {
    if (error instanceof PlayFailed) throw new CommandFailed(error.message);
    throw error;
  } finally {
    bar.close();
    await target.close();
    stopped.forget();
  }
  if (json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else print(says.closingText(summary));
  if (!summary.complete) process.exitCode = stopped.code();
}

/** Told to stop by the first signal; at the second one the process ends at once. */
function stopSignal() {
  const stopping = new AbortController();
  let code = 0;
  const forget = onSignal((signal) => {
    if (stopping.signal.aborted) process.exit(code);
    // As shells say which signal ended a program.
    code = signal === 'SIGINT' ? 130 : 143;
    stopping.abort();
  });
  return { signal: stopping.signal, code: () => code, forget };
}

/** A seed that is easy to type again. */
const drawnSeeds = 1_000_000;

function wishOf({ values }: Given): Wish {
  const number = (name: string, fallback: number, bounds: Bounds) =>
    numberOf(name, values[name] ?? String(fallback), bounds);
  return {
    attendees: number('attendees', 30, { least: 1, most: 2_000, whole: true }),
    minutes: number('minutes', 10, { least: 1, most: 720, whole: true }),
    speed: number('speed', 60, { least: 0.1, most: 3_600, whole: false }),
    seed: number('seed', randomInt(1, drawnSeeds), { least: 0, most: 2 ** 31 - 1, whole: true }),
    title: titleOf(values.title),
    into: addressOf(values.into),
    token: values.token === undefined ? undefined : String(values.token),
  };
}

interface Bounds {
  least: number;
  most: number;
  whole: boolean;
}

function numberOf(name: string, given: string | boolean, { least, most, whole }: Bounds): number {
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN;
  if (number >= least && number <= most && (!whole || Number.isInteger(number))) return number;
  const kind = whole ? 'a whole number' : 'a number';
  const range = `${least.toLocaleString('en')} to ${most.toLocaleString('en')}`;
  throw new UsageError(`--${name} ${given} is not ${kind} from ${range}`);
}

function titleOf(given: string | boolean | undefined): string | undefined {
  if (given === undefined) return undefined;
  const title = text(1, 200).safeParse(given);
  if (!title.success) throw new UsageError('--title has to have 1 to 200 characters');
  return title.data;
}

function addressOf(given: string | boolean | undefined): string | undefined {
  if (given === undefined) return undefined;
  const url = URL.canParse(String(given)) ? new URL(String(given)) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(`--into ${given} is not an http or https address`);
  return url.origin;
}
