/** A simulation as a person reads it in a terminal. */
import type { LooseEvent } from '../protocol/wire.ts';
import type { Script } from '../simulate/script.ts';
import type { Seen } from '../simulate/seen.ts';
import type { Summary } from './simulation.ts';
import type { Target } from './target.ts';

/** Milliseconds of the script as a clock that is at 0 when the workshop goes live: `-02:30`, `1:05:00`. */
export function clock(ms: number): string {
  const total = Math.floor(Math.abs(ms) / 1_000);
  const [hours, minutes, seconds] = [Math.floor(total / 3_600), Math.floor(total / 60) % 60, total % 60];
  const tail = [minutes, seconds].map((part) => String(part).padStart(2, '0')).join(':');
  return `${ms < 0 ? '-' : ''}${hours > 0 ? `${hours}:` : ''}${tail}`;
}

export function openingText(script: Script, speed: number, { url, kind }: Target): string {
  const { attendees, minutes, seed } = script.options;
  const seconds = Math.ceil((script.untilMs - script.fromMs) / speed / 1_000);
  const servers = {
    own: 'started for this, and gone with it',
    running: 'which runs on DATA_DIR',
    given: 'as told',
  };
  return `
  ${script.title}
  ${attendees} people, ${minutes} minutes, ${speed} times as fast: about ${seconds} s; seed ${seed}
  on ${url}, ${servers[kind]}

`;
}

export function watchText(url: string, workshopId: number): string {
  return `  Watch it at ${url}/w/${workshopId}\n\n`;
}

/** What is worth a line when it happens; undefined for everything else. */
export function highlight(event: LooseEvent, nameOf: (userId: unknown) => string): string | undefined {
  const who = nameOf(event.userId);
  switch (event.type) {
    case 'state-changed': {
      const said: Record<string, string> = {
        lobby: 'The lobby is open',
        live: 'The workshop is live',
        ended: 'The workshop is over',
        cancelled: 'The workshop is cancelled',
      };
      return said[String(event.status)];
    }
    case 'cohost-promoted':
      return `${who} is a co-host now`;
    case 'cohost-demoted':
      return `${who} is no co-host any more`;
    case 'speaker-approved':
      return `${who} may speak`;
    case 'user-removed':
      return `${who} was removed: ${event.reason ?? 'no reason given'}`;
    case 'user-readmitted':
      return `${who} may come back`;
    default:
      return undefined;
  }
}

export function liveText(atMs: number, { present, messages, handsUp }: Seen): string {
  return `${clock(atMs)}  ${present} present, ${messages} messages, ${handsUp} hands up`;
}

export function closingText(summary: Summary): string {
  const { workshopId, seen, lateness, refused, heldUp, speed, server } = summary;
  const wait = seen.medianHandWaitMs === null ? '' : `, median wait ${clock(seen.medianHandWaitMs * speed)}`;
  const rows: [string, string][] = [
    ['people', `${seen.came} came, ${seen.peakPresent} at once, ${seen.removed} removed`],
    ['chat', `${seen.messages} messages, ${seen.deletedMessages} more were deleted`],
    ['hands', `${seen.handsRaised} raised, ${seen.speakersApproved} may speak${wait}`],
    [
      'played',
      `${summary.acts} acts in ${(summary.tookMs / 1_000).toFixed(1)} s, late by ${lateness.medianMs} ms in the middle, ${lateness.p99Ms} ms for 1 in 100, ${lateness.maxMs} ms at most`,
    ],
  ];
  const codes = Object.entries(refused).map(([code, times]) => `${times} ${code}`);
  if (codes.length > 0) rows.push(['refused', codes.join(', ')]);
  if (heldUp.times > 0)
    rows.push([
      'limits',
      `the server held up ${heldUp.times} things, for ${(heldUp.ms / 1_000).toFixed(1)} s in all`,
    ]);
  if (!summary.tablesFollow) rows.push(['tables', 'are still behind the log']);
  const start = server === 'own' ? ' (after npm start)' : '';
  rows.push(
    ['look at it', `npx workshop replay ${workshopId}`],
    ['', `${summary.page}${start}`],
    ['', `${summary.page}/timeline, for host and analysts`],
    [
      'again',
      `npx workshop simulate --attendees ${summary.attendees} --minutes ${summary.minutes} --seed ${summary.seed}`,
    ],
  );
  const lines = rows.map(([name, text]) => `  ${name.padEnd(10)}  ${text}`);
  const faster =
    speed === 1
      ? ''
      : `\n  What the server recorded has the times of the clock: ${speed} times shorter than the script's.\n`;
  return `\n  Workshop ${workshopId}${summary.complete ? '' : ' was broken off'}\n\n${lines.join('\n')}\n${faster}\n`;
}
