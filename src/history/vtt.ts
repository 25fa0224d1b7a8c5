/** The chat as WebVTT (W3C, WebVTT: The Web Video Text Tracks Format): a cue for each message, at its offset. */
import type { ChatRow } from './chatRows.ts';

export const vttHead = 'WEBVTT\n\n';

export function cue({ id, offsetMs, displayName, message }: ChatRow): string {
  const text = message === null ? '<i>deleted</i>' : spoken(message);
  const end = offsetMs + readingMs(message ?? '');
  return `${id}\n${timestamp(offsetMs)} --> ${timestamp(end)}\n<v ${voice(displayName)}>${text}\n\n`;
}

/** Two seconds and a twentieth of one for each character, ten seconds at most. */
export function readingMs(message: string): number {
  return Math.min(10_000, 2_000 + 50 * [...message].length);
}

/** Hours of two digits or more. */
export function timestamp(ms: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const rest = String(ms % 1_000).padStart(3, '0');
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}.${rest}`;
}

/** Lines stay lines, but none is empty: that would end the cue. */
function spoken(message: string): string {
  return escaped(message.replace(/\s*[\r\n]\s*/g, '\n'));
}

function voice(name: string): string {
  return escaped(name.replace(/\s+/g, ' ').trim());
}

/** Without a bare `>` there is no `-->` either, which no cue may hold. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
