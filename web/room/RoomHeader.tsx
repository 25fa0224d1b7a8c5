/** What it is, how it stands, and its way: leaving at the one end, ending it for everyone at the other. */
import type { WorkshopSocket, WorkshopState } from '../../src/hooks/useWorkshopSocket.ts';
import { api, type Step, type User, type Workshop } from '../shared/api.ts';
import { ConfirmButton } from '../shared/ConfirmButton.tsx';
import { type Notice, NoticeLine } from '../shared/NoticeLine.tsx';
import { standingIn } from '../shared/standing.ts';
import { sayClock, sayRefusal, sayTime, useWords } from '../words/words.ts';
import { InviteButton } from './InviteButton.tsx';

interface HeaderProps {
  me: User;
  room: WorkshopSocket;
  workshop: Workshop | null;
  notice: Notice | null;
  onExit(): void;
  onNotice(notice: Notice | null): void;
}

export function RoomHeader({ me, room, workshop, notice, onExit, onNotice }: HeaderProps) {
  const words = useWords();
  const { workshopState } = room;
  const status = workshopState?.status ?? workshop?.status;
  const isOver = status === 'ended' || status === 'cancelled';
  return (
    <header className="room-header">
      <div className="row top">
        <button type="button" className="leave" onClick={onExit}>
          <span aria-hidden="true">←</span> {isOver ? words.room.all : words.room.leave}
        </button>
        <h1 className="grow title">
          <bdi>{workshopState?.title ?? workshop?.title ?? ''}</bdi>
        </h1>
        {!isOver && <Controls me={me} room={room} workshop={workshop} status={status} onNotice={onNotice} />}
      </div>
      <div className="row about">
        {status !== undefined && <span className={`chip ${status}`}>{words.status[status]}</span>}
        <span className="soft">{sayWhen(workshopState, workshop, words.room.since)}</span>
        <NoticeLine notice={notice} />
      </div>
    </header>
  );
}

type ControlsProps = Pick<HeaderProps, 'me' | 'room' | 'workshop' | 'onNotice'> & {
  status: Workshop['status'] | undefined;
};

function Controls({ me, room, workshop, status, onNotice }: ControlsProps) {
  const words = useWords();
  const { isHost, moderates } = standingIn(room.workshopState, me.userId);
  const step = async (name: Step) => {
    const answer = workshop === null ? null : await api.step(workshop.id, name);
    if (answer !== null && !answer.ok) onNotice({ text: sayRefusal(answer.error), problem: true });
  };
  const share = async () => {
    const { invite } = words;
    try {
      await navigator.clipboard.writeText(location.href);
      onNotice({ text: workshop?.visibility === 'private' ? invite.copiedPrivate : invite.copied });
    } catch {
      // No clipboard without https or permission: then the link itself is the answer.
      onNotice({ text: invite.share(location.href) });
    }
  };
  return (
    <div className="row controls">
      <button type="button" onClick={() => void share()}>
        {words.invite.copy}
      </button>
      {moderates && workshop?.visibility === 'private' && (
        <InviteButton workshop={workshop} onNotice={onNotice} />
      )}
      {isHost && status === 'scheduled' && (
        <button type="button" onClick={() => void step('open-lobby')}>
          {words.room.openLobby}
        </button>
      )}
      {moderates && (status === 'scheduled' || status === 'lobby') && (
        <button type="button" className="primary" onClick={() => void step('start')}>
          {words.room.start}
        </button>
      )}
      {moderates && status === 'live' && (
        <ConfirmButton
          label={words.room.end}
          question={words.room.endQuestion(room.attendeeCount)}
          confirm={words.room.endConfirm}
          onConfirm={() => void step('end')}
        />
      )}
    </div>
  );
}

/** When it takes place, or took. */
function sayWhen(
  state: WorkshopState | null,
  workshop: Workshop | null,
  saySince: (time: string) => string,
): string {
  const startedAt = state?.startedAt ?? workshop?.startedAt;
  const endedAt = state?.endedAt ?? workshop?.endedAt;
  if (startedAt && endedAt) return `${sayTime(startedAt)} – ${sayClock(endedAt)}`;
  if (startedAt) return saySince(sayClock(startedAt));
  const scheduledAt = state?.scheduledAt ?? workshop?.scheduledAt;
  return scheduledAt === undefined ? '' : sayTime(scheduledAt);
}
