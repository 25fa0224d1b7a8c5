/** A workshop as a calendar file (RFC 5545), made in the browser. */
import type { Workshop } from '../shared/api.ts';

const usualMinutes = 60;

export function calendarFile(
  { id, title, description, scheduledAt, durationMinutes }: Workshop,
  address: string,
  now: Date = new Date(),
): string {
  const from = new Date(scheduledAt);
  const to = new Date(from.getTime() + (durationMinutes ?? usualMinutes) * 60_000);
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//workshop-rooms//EN',
    'BEGIN:VEVENT',
    `UID:workshop-${id}@${new URL(address).host}`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(from)}`,
    `DTEND:${stamp(to)}`,
    `SUMMARY:${escaped(title)}`,
    ...(description ? [`DESCRIPTION:${escaped(description)}`] : []),
    `URL:${address}`,
    'END:VEVENT',
    'END:VCALENDAR',
  ];
  return `${lines.map(folded).join('\r\n')}\r\n`;
}

/** Has the browser save the file. */
export function saveCalendar(workshop: Workshop): void {
  const file = new Blob([calendarFile(workshop, location.href)], { type: 'text/calendar;charset=utf-8' });
  const url = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href: url, download: `workshop-${workshop.id}.ics` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** `2030-01-01T12:00:00.000Z` → `20300101T120000Z`. */
function stamp(time: Date): string {
  return time.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\n/g, '\\n');
}

/** A line has 75 octets at most; what is longer goes on after a space. No character is cut in two. */
function folded(line: string): string {
  const lines = [''];
  let octets = 0;
  for (const character of line) {
    const more = new TextEncoder().encode(character).length;
    if (octets + more > 74) {
      lines.push(' ');
      octets = 1;
    }
    lines[lines.length - 1] += character;
    octets += more;
  }
  return lines.join('\r\n');
}
