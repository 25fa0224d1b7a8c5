/** C2: versions 1..n without a gap, time that never falls. */
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import type { Report } from './history.ts';

export function checkOrder(events: readonly RecordedEvent[], report: Report): void {
  const ids = new Set<string>();
  for (const [index, event] of events.entries()) {
    const before = events[index - 1];
    if (event.version !== index + 1) report(`version ${event.version} stands in place ${index + 1}`);
    if (before !== undefined && event.at < before.at)
      report(`version ${event.version} is ${before.at - event.at} ms older than the one before it`);
    if (ids.has(event.eventId)) report(`version ${event.version} has the event id of an earlier one`);
    ids.add(event.eventId);
  }
}
