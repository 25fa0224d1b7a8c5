/** Workshops whose tables wait for somebody, what may be done about each, and what was given up before. */
import { ConfirmButton } from '../shared/ConfirmButton.tsx';
import { Table } from '../shared/Table.tsx';
import { sayTime, useWords } from '../words/words.ts';
import { operators, type Parked, type Skipped } from './status.ts';
import type { Act } from './useActs.ts';

export function ParkedWorkshops({ parked, act }: { parked: Parked[]; act: Act }) {
  const { admin } = useWords();
  if (parked.length === 0)
    return (
      <section className="card" aria-labelledby="parked">
        <h2 id="parked">{admin.parked}</h2>
        <p className="soft">{admin.noneParked}</p>
      </section>
    );
  const columns = [admin.workshop, admin.reason, admin.attempts, admin.since, admin.state];
  const told = (workshopId: number) => (answer: { parked: boolean }) =>
    answer.parked ? admin.parkedAgain(workshopId) : admin.tookUp(workshopId);
  return (
    <Table id="parked" heading={admin.parked} columns={columns}>
      {parked.map(({ workshopId, projection, version, reason, attempts, parkedAt }) => (
        <tr key={`${workshopId} ${projection}`}>
          <td className="figure">
            {workshopId} · {version}
          </td>
          <td className="long">{reason}</td>
          <td className="figure">{attempts}</td>
          <td>{sayTime(parkedAt)}</td>
          <td>
            <span className="row">
              <button
                type="button"
                className="small"
                aria-label={admin.retryNamed(workshopId)}
                onClick={() => void act(operators.retry(workshopId), told(workshopId))}
              >
                {admin.retry}
              </button>
              {version > 1 && (
                <ConfirmButton
                  label={admin.skip}
                  question={admin.skipQuestion(workshopId, version)}
                  confirm={admin.skip}
                  onConfirm={() => void act(operators.skip(workshopId, version), told(workshopId))}
                />
              )}
            </span>
          </td>
        </tr>
      ))}
    </Table>
  );
}

export function SkippedEvents({ skipped }: { skipped: Skipped[] }) {
  const { admin } = useWords();
  if (skipped.length === 0) return null;
  const columns = [admin.workshop, admin.reason, admin.owner, admin.since];
  return (
    <Table id="skipped" heading={admin.skippedEvents} columns={columns}>
      {skipped.map(({ workshopId, version, reason, skippedBy, skippedAt }) => (
        <tr key={`${workshopId} ${version}`}>
          <td className="figure">
            {workshopId} · {version}
          </td>
          <td className="long">{reason}</td>
          <td>{skippedBy}</td>
          <td>{sayTime(skippedAt)}</td>
        </tr>
      ))}
    </Table>
  );
}
