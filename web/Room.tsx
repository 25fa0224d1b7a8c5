/** One workshop: gets one in, and lays out what happens there. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import {
  type Reply,
  useWorkshopSocket,
  type WorkshopSocket,
  type WorkshopState,
} from '../src/hooks/useWorkshopSocket.ts';
import { Attendees } from './Attendees.tsx';
import { api, type Step, type User, type Workshop } from './api.ts';
import { basePath } from './base.ts';
import { Chat } from './Chat.tsx';
import { ConfirmButton } from './ConfirmButton.tsx';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { HandQueue } from './HandQueue.tsx';
import { type Notice, NoticeLine } from './NoticeLine.tsx';
import { standingIn } from './standing.ts';
import { sayClock, sayRefusal, sayStatus, sayTime } from './words.ts';

interface RoomProps {
  me: User;
  workshopId: number;
  onExit(): void;
  onSignedOut(): void;
}

export function Room({ me: noted, workshopId, onExit, onSignedOut }: RoomProps) {
  const { workshop, admitted, problem } = useAdmission(workshopId, onSignedOut);
  const room = useWorkshopSocket(admitted ? workshopId : null, { url: basePath });
  // The server's word goes before our own note: another tab may have signed in as someone else since.
  const me = useMemo(() => ({ ...noted, userId: room.userId ?? noted.userId }), [noted, room.userId]);
  const [notice, setNotice] = useState<Notice | null>(null);
  const unauthenticated = room.error?.code === 'unauthenticated';
  useEffect(() => {
    if (unauthenticated) onSignedOut();
  }, [unauthenticated, onSignedOut]);
  useMuteNotice(room, me, setNotice);

  /** Waits for the answer and says what went wrong; true if nothing did. */
  const attempt = useCallback(async (asked: Promise<Reply>): Promise<boolean> => {
    const reply = await asked;
    if (reply.ok) setNotice(null);
    else setNotice({ text: sayRefusal(reply.error), problem: true });
    return reply.ok;
  }, []);

  const status = room.workshopState?.status ?? workshop?.status;
  const over = status === 'ended' || status === 'cancelled';
  const refused = room.error !== null && !room.joined && room.workshopState === null;

  return (
    <div className="room">
      <ConnectionBanner room={room} active={admitted && !over} />
      <main className="wide">
        <RoomHeader
          me={me}
          room={room}
          workshop={workshop}
          notice={over ? null : notice}
          onExit={onExit}
          onNotice={setNotice}
        />
        {problem !== '' && <p className="problem card">{problem}</p>}
        {refused && <Refused room={room} />}
        {over && <p className="card">This workshop is over. Thank you for coming.</p>}
        {room.workshopState !== null && (
          <div className={over ? 'columns over' : 'columns'}>
            {!over && <HandQueue me={me} room={room} attempt={attempt} />}
            <Chat me={me} room={room} workshopId={workshopId} attempt={attempt} />
            {!over && <Attendees me={me} room={room} attempt={attempt} onNotice={setNotice} />}
          </div>
        )}
        {room.workshopState === null && !refused && problem === '' && !over && (
          <p className="soft">Entering the room…</p>
        )}
      </main>
    </div>
  );
}

/** Says that one will come, which lets one in. */
function useAdmission(workshopId: number, onSignedOut: () => void) {
  const [workshop, setWorkshop] = useState<Workshop | null>(null);
  const [admitted, setAdmitted] = useState(false);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let current = true;
    const enter = async () => {
      const found = await api.workshop(workshopId);
      if (!current) return;
      if (!found.ok) {
        if (found.error.code === 'unauthenticated') onSignedOut();
        return setProblem(sayRefusal(found.error));
      }
      setWorkshop(found.value);
      if (found.value.status === 'ended' || found.value.status === 'cancelled') return;
      const coming = await api.rsvp(workshopId);
      if (!current) return;
      // Members by role or invitation get in without: the room itself has the last word.
      if (coming.ok || coming.error.code === 'not_a_member') setAdmitted(true);
      else if (coming.error.code === 'unauthenticated') onSignedOut();
      else setProblem(sayRefusal(coming.error));
    };
    void enter();
    return () => {
      current = false;
    };
  }, [workshopId, onSignedOut]);
  return { workshop, admitted, problem };
}

/** The server says who was asked to be quiet; obeying is the client's part. */
function useMuteNotice({ socket }: WorkshopSocket, me: User, onNotice: (notice: Notice) => void): void {
  useEffect(() => {
    if (socket === null) return;
    const hear = (event: { userId: number }) => {
      if (event.userId === me.userId) onNotice({ text: 'A host asks you to mute your microphone.' });
    };
    socket.on('workshop:user-muted', hear);
    return () => void socket.off('workshop:user-muted', hear);
  }, [socket, me, onNotice]);
}

interface HeaderProps {
  me: User;
  room: WorkshopSocket;
  workshop: Workshop | null;
  notice: Notice | null;
  onExit(): void;
  onNotice(notice: Notice | null): void;
}

function RoomHeader({ me, room, workshop, notice, onExit, onNotice }: HeaderProps) {
  const { workshopState } = room;
  const status = workshopState?.status ?? workshop?.status;
  const title = workshopState?.title ?? workshop?.title ?? 'Workshop';
  const { isHost, moderates, isOver } = standingIn(workshopState, me.userId);
  useEffect(() => {
    document.title = `${title} · Workshop rooms`;
    return () => {
      document.title = 'Workshop rooms';
    };
  }, [title]);

  const step = async (name: Step) => {
    const answer = workshop === null ? null : await api.step(workshop.id, name);
    if (answer !== null && !answer.ok) onNotice({ text: sayRefusal(answer.error), problem: true });
  };
  const share = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      onNotice({ text: 'The link is copied. Whoever opens it can join.' });
    } catch {
      // No clipboard without https or permission: then the link itself is the answer.
      onNotice({ text: `Share this link: ${location.href}` });
    }
  };

  return (
    <header>
      <div className="row spread">
        <h1 className="grow">{title}</h1>
        <div className="row">
          {isHost && status === 'scheduled' && (
            <button type="button" onClick={() => void step('open-lobby')}>
              Open lobby
            </button>
          )}
          {moderates && (status === 'scheduled' || status === 'lobby') && (
            <button type="button" className="primary" onClick={() => void step('start')}>
              Start
            </button>
          )}
          {moderates && status === 'live' && (
            <ConfirmButton
              label="End workshop"
              question={`End it for all ${room.attendeeCount} present? This can’t be undone.`}
              confirm="End for everyone"
              onConfirm={() => void step('end')}
            />
          )}
          {!isOver && (
            <button type="button" onClick={() => void share()}>
              Copy link
            </button>
          )}
          <button type="button" onClick={onExit}>
            {isOver ? 'All workshops' : 'Leave'}
          </button>
        </div>
      </div>
      <div className="row about">
        {status !== undefined && <span className={`chip ${status}`}>{sayStatus(status)}</span>}
        <span className="soft">{sayWhen(workshopState, workshop)}</span>
        <NoticeLine notice={notice} />
      </div>
    </header>
  );
}

/** When it takes place, or took. */
function sayWhen(state: WorkshopState | null, workshop: Workshop | null): string {
  if (state?.startedAt && state.endedAt) return `${sayTime(state.startedAt)} to ${sayClock(state.endedAt)}`;
  if (state?.startedAt) return `since ${sayClock(state.startedAt)}`;
  const scheduledAt = state?.scheduledAt ?? workshop?.scheduledAt;
  return scheduledAt === undefined ? '' : sayTime(scheduledAt);
}

function Refused({ room }: { room: WorkshopSocket }) {
  if (room.error === null) return null;
  return (
    <div className="card row spread">
      <p className="problem">
        {sayRefusal(room.error)}
        {room.removalReason !== null && ` The reason given: ${room.removalReason}`}
      </p>
      {!room.error.retryable && (
        <button type="button" onClick={() => void room.joinWorkshop()}>
          Try again
        </button>
      )}
    </div>
  );
}
