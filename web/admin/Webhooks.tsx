/** Where events are delivered, whether that works, and going on where it stopped. */
import { NoticeLine } from '../shared/NoticeLine.tsx';
import { Table } from '../shared/Table.tsx';
import { sayTime, useWords } from '../words/words.ts';
import { operators, type Webhook } from './status.ts';
import { type Act, useActs } from './useActs.ts';
import { usePolled } from './usePolled.ts';

const refreshMs = 5_000;

export function Webhooks() {
  const { admin } = useWords();
  const { value, refresh } = usePolled(operators.webhooks, refreshMs);
  const { notice, act } = useActs(refresh);
  const hooks = value?.items ?? [];
  if (hooks.length === 0)
    return (
      <section className="card" aria-labelledby="webhooks">
        <h2 id="webhooks">{admin.webhooks}</h2>
        <p className="soft">{admin.noWebhooks}</p>
      </section>
    );
  return (
    <>
      <NoticeLine notice={notice} />
      <Table id="webhooks" heading={admin.webhooks} columns={[admin.address, admin.state, admin.todo]}>
        {hooks.map((hook) => (
          <Row key={hook.id} hook={hook} act={act} />
        ))}
      </Table>
      <Undelivered hooks={hooks} act={act} />
    </>
  );
}

interface RowProps {
  hook: Webhook;
  act: Act;
}

function Row({ hook: { id, url, description, active, endedBecause }, act }: RowProps) {
  const { admin } = useWords();
  return (
    <tr>
      <td className="long">
        {url}
        {description !== null && <span className="soft"> {description}</span>}
      </td>
      <td>{active ? admin.active : (endedBecause ?? admin.inactive)}</td>
      <td>
        <span className="row">
          <button
            type="button"
            className="small"
            aria-label={admin.testNamed(url)}
            onClick={() =>
              void act(operators.testWebhook(id), ({ ok, status, error }) =>
                ok ? admin.testTaken : admin.testRefused(error ?? String(status)),
              )
            }
          >
            {admin.test}
          </button>
          <button
            type="button"
            className="small"
            aria-label={active ? admin.turnOffNamed(url) : admin.turnOnNamed(url)}
            onClick={() => void act(operators.turnWebhook(id, !active), () => '')}
          >
            {active ? admin.turnOff : admin.turnOn}
          </button>
        </span>
      </td>
    </tr>
  );
}

function Undelivered({ hooks, act }: { hooks: Webhook[]; act: Act }) {
  const { admin } = useWords();
  const places = hooks.flatMap(({ id, url, troubled }) => troubled.map((place) => ({ id, url, place })));
  if (places.length === 0) return null;
  const columns = [
    ...[admin.address, admin.workshop, admin.reason, admin.attempts],
    ...[admin.nextTry, admin.todo],
  ];
  return (
    <Table id="undelivered" heading={admin.undelivered} columns={columns}>
      {places.map(
        ({ id, url, place: { workshopId, fromVersion, lastError, attempts, nextTryAt, waits } }) => (
          <tr key={`${id} ${workshopId}`}>
            <td className="long">{url}</td>
            <td className="figure">
              {workshopId} · {fromVersion}
            </td>
            <td className="long">{lastError}</td>
            <td className="figure">{attempts}</td>
            <td>{waits || nextTryAt === null ? admin.waitsForYou : sayTime(nextTryAt)}</td>
            <td>
              <button
                type="button"
                className="small"
                aria-label={admin.resumeNamed(workshopId)}
                onClick={() =>
                  void act(operators.resumeWebhook(id, workshopId), () => admin.resumed(workshopId))
                }
              >
                {admin.resume}
              </button>
            </td>
          </tr>
        ),
      )}
    </Table>
  );
}
