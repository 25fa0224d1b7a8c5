/** The operators' page: how everything is, what needs somebody, and what can be done about it. It moves by itself. */
import { useEffect } from 'react';
import { ConfirmButton } from '../shared/ConfirmButton.tsx';
import { NoticeLine } from '../shared/NoticeLine.tsx';
import { Table } from '../shared/Table.tsx';
import { useTitle } from '../shared/useTitle.ts';
import { sayClock, sayLength, sayNumber, sayTime, useWords } from '../words/words.ts';
import { Erasures } from './Erasures.tsx';
import { ParkedWorkshops, SkippedEvents } from './Parked.tsx';
import { findings, type NodeStatus, operators, type Partition, type Status } from './status.ts';
import { useActs } from './useActs.ts';
import { usePolled } from './usePolled.ts';
import { Webhooks } from './Webhooks.tsx';

const refreshMs = 3_000;

interface AdminProps {
  onExit(): void;
  onSignedOut(): void;
}

export default function Admin({ onExit, onSignedOut }: AdminProps) {
  const { admin, room, loading } = useWords();
  const { value: status, at, error, refresh } = usePolled(operators.status, refreshMs);
  const { notice, act } = useActs(refresh);
  const code = error?.code;
  useTitle(admin.heading);
  useEffect(() => {
    if (code === 'unauthenticated') onSignedOut();
  }, [code, onSignedOut]);
  return (
    <main>
      <header className="row spread">
        <h1>{admin.heading}</h1>
        <div className="row">
          {at !== null && <span className="soft">{admin.updated(sayClock(at))}</span>}
          <button type="button" onClick={onExit}>
            {room.all}
          </button>
        </div>
      </header>
      <NoticeLine notice={notice} />
      {code === 'forbidden' && <p className="card">{admin.forbidden}</p>}
      {error !== null && code !== 'forbidden' && (
        <p className="card problem" role="alert">
          {admin.away}
        </p>
      )}
      {status === null && error === null && <p className="soft">{loading}</p>}
      {status !== null && (
        <>
          <Figures status={status} />
          <Advice status={status} />
          <Nodes nodes={status.nodes} />
          {status.projections !== null && (
            <>
              <ParkedWorkshops parked={status.projections.parked} act={act} />
              <SkippedEvents skipped={status.projections.skipped} />
              <Partitions partitions={status.projections.partitions} />
              <section className="card row spread">
                <Rebuilding partitions={status.projections.partitions} />
                <ConfirmButton
                  label={admin.rebuild}
                  question={admin.rebuildQuestion}
                  confirm={admin.rebuild}
                  onConfirm={() => void act(operators.rebuild(), () => admin.rebuildAsked)}
                />
              </section>
              <Webhooks />
            </>
          )}
          <Erasures act={act} />
        </>
      )}
    </main>
  );
}

function Figures({ status: { nodes, rooms, projections } }: { status: Status }) {
  const { admin } = useWords();
  const sum = (field: 'sockets' | 'slowClients' | 'archived') =>
    nodes.reduce((total, node) => total + (node[field] ?? 0), 0);
  const figures: [label: string, value: number | undefined, red?: boolean][] = [
    [admin.nodes, nodes.length],
    [admin.rooms, rooms],
    [admin.sockets, sum('sockets')],
    [admin.lag, projections?.lag, projections === null],
    [admin.parked, projections?.parked.length, (projections?.parked.length ?? 0) > 0],
    [admin.archived, sum('archived')],
    [admin.slow, sum('slowClients')],
  ];
  return (
    <dl className="figures">
      {figures.map(([label, value, red]) => (
        <div key={label} className={red ? 'red' : ''}>
          <dt>{label}</dt>
          <dd>{value === undefined ? '–' : sayNumber(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What to do where something is not as it should be. */
function Advice({ status }: { status: Status }) {
  const { admin } = useWords();
  const { advice } = admin;
  const found = findings(status);
  const lines = [
    found.databaseAway ? advice.databaseAway : '',
    found.parked > 0 ? advice.parked(found.parked) : '',
    found.noOwner > 0 ? advice.noOwner(found.noOwner) : '',
    found.behind > 0 ? advice.behind(found.behind) : '',
    found.versions ? advice.versions : '',
    ...found.draining.map((node) => advice.draining(node)),
    found.slow > 0 ? advice.slow(found.slow) : '',
  ].filter((line) => line !== '');
  if (lines.length === 0) return <p className="card good">✓ {admin.fine}</p>;
  return (
    <section className="card attention" aria-labelledby="attention">
      <h2 id="attention">{admin.attention}</h2>
      <ul className="advice">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}

function Nodes({ nodes }: { nodes: NodeStatus[] }) {
  const { admin } = useWords();
  const columns = [
    ...[admin.node, admin.role, admin.state, admin.rooms, admin.sockets, admin.up],
    ...[admin.version, admin.archived, admin.slow],
  ];
  return (
    <Table id="nodes" heading={admin.nodes} columns={columns}>
      {nodes.map(({ node, role, draining, rooms, sockets, upSeconds, version, archived, slowClients }) => (
        <tr key={node}>
          <td>{node}</td>
          <td>{role}</td>
          <td>{draining ? admin.draining : admin.serving}</td>
          <td className="figure">{sayNumber(rooms)}</td>
          <td className="figure">{sayNumber(sockets)}</td>
          <td className="figure">{sayLength(upSeconds * 1_000)}</td>
          <td>{version ?? '–'}</td>
          <td className="figure">{archived === undefined ? '–' : sayNumber(archived)}</td>
          <td className="figure">{slowClients === undefined ? '–' : sayNumber(slowClients)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Partitions({ partitions }: { partitions: Partition[] }) {
  const { admin } = useWords();
  const columns = [admin.partition, admin.position, admin.owner, admin.lastCommit];
  return (
    <details className="card">
      <summary>
        {admin.partitions} ({sayNumber(partitions.length)})
      </summary>
      <Table id="partitions" heading={admin.partitions} columns={columns}>
        {partitions.map(({ partition, position, owner, updatedAt }) => (
          <tr key={partition}>
            <td className="figure">{partition}</td>
            <td className="figure">{sayNumber(position)}</td>
            <td>{owner ?? '–'}</td>
            <td>{sayTime(updatedAt)}</td>
          </tr>
        ))}
      </Table>
    </details>
  );
}

/** How far a rebuild is, of all partitions together; nothing without one. */
function Rebuilding({ partitions }: { partitions: Partition[] }) {
  const { admin } = useWords();
  const under = partitions.flatMap(({ rebuilt }) => (rebuilt === null ? [] : [rebuilt]));
  const asked = partitions.some(({ rebuildRequested }) => rebuildRequested);
  if (under.length === 0) return <p className="soft">{asked ? admin.rebuildAsked : ''}</p>;
  const [done, total] = under.reduce(([d, t], each) => [d + each.done, t + each.total], [0, 0]);
  const text = admin.rebuilding(done, total);
  return (
    <p className="row">
      <progress aria-label={text} value={done} max={Math.max(1, total)} /> {text}
    </p>
  );
}
