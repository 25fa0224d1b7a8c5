/** One checker for whatever happened: the six invariants that hold after every fault, one file each. */
import { fold, type RecordedEvent } from '../../../src/domain/evolve.ts';
import { stateView } from '../../../src/protocol/wire.ts';
import { checkAnswers } from './answers.ts';
import { checkHeard } from './heard.ts';
import type { History, Invariant, Lost, Report, Violation } from './history.ts';
import { checkLawful } from './lawful.ts';
import { checkOrder } from './order.ts';
import { checkTables } from './tables.ts';

export interface Verdict {
  violations: Violation[];
  /** What was acknowledged and is gone; a violation each, unless the log may have lost events. */
  lost: Lost[];
}

export function check({ log, recordings, tables, mayLose = false, admins }: History): Verdict {
  const violations: Violation[] = [];
  const lost: Lost[] = [];
  const workshops = new Set([...log.keys(), ...recordings.map(({ workshopId }) => workshopId)]);
  for (const workshopId of workshops) {
    const events = log.get(workshopId) ?? [];
    const own = recordings.filter((recording) => recording.workshopId === workshopId);
    const reporting = (invariant: Invariant) => (what: string) =>
      void violations.push({ invariant, workshopId, what });

    checkOrder(events, reporting('C2'));
    checkLawful(events, admins ?? new Set(), reporting('C5'));
    checkAnswers(events, own, {
      c1: reporting('C1'),
      c6: reporting('C6'),
      lost(gone) {
        lost.push(gone);
        if (!mayLose)
          reporting('C1')(
            `${gone.commandId} of user ${gone.userId} was acknowledged at ${gone.version} and is gone`,
          );
      },
    });
    if (folds(workshopId, events, reporting('C5')))
      for (const recording of own)
        checkHeard(
          events,
          recording,
          {
            mayLose,
            lost: lost.some((gone) => gone.workshopId === workshopId && gone.userId === recording.userId),
          },
          reporting('C3'),
        );
    const found = tables?.get(workshopId);
    if (found !== undefined) checkTables(events, found, reporting('C4'));
  }
  return { violations, lost };
}

/** What does not fold cannot be compared with what anyone saw of it. */
function folds(workshopId: number, events: readonly RecordedEvent[], report: Report): boolean {
  try {
    if (events.length > 0) stateView(fold(workshopId, events), '');
    return true;
  } catch (error) {
    report(`the log does not fold: ${error}`);
    return false;
  }
}
