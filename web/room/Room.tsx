/** One workshop: gets one in, and lays out what happens there before, while and after it is live. */
import { useEffect, useMemo } from 'react';
import { useWorkshopSocket, type WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import type { User } from '../shared/api.ts';
import { basePath } from '../shared/base.ts';
import { standingIn } from '../shared/standing.ts';
import { useTitle } from '../shared/useTitle.ts';
import { sayRefusal, useWords } from '../words/words.ts';
import { After } from './After.tsx';
import { Before } from './Before.tsx';
import { Chat } from './Chat.tsx';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { HandQueue } from './HandQueue.tsx';
import { People } from './People.tsx';
import { RoomHeader } from './RoomHeader.tsx';
import { useAdmission } from './useAdmission.ts';
import { useHandAlert } from './useHandAlert.ts';
import { useKeptUp } from './useKeptUp.ts';
import { useNotices } from './useNotices.ts';

interface RoomProps {
  me: User;
  roles: readonly string[];
  workshopId: number;
  onExit(): void;
  onTimeline(): void;
  onSignedOut(): void;
}

export function Room({ me: noted, roles, workshopId, onExit, onTimeline, onSignedOut }: RoomProps) {
  const words = useWords();
  const { workshop: read, admitted, problem } = useAdmission(workshopId, onSignedOut);
  const room = useWorkshopSocket(admitted ? workshopId : null, { url: basePath });
  const workshop = useKeptUp(room, read);
  // The server's word goes before our own note: another tab may have signed in as someone else since.
  const me = useMemo(() => ({ ...noted, userId: room.userId ?? noted.userId }), [noted, room.userId]);
  const { notice, setNotice, attempt } = useNotices(room, me);
  const unauthenticated = room.error?.code === 'unauthenticated';
  useEffect(() => {
    if (unauthenticated) onSignedOut();
  }, [unauthenticated, onSignedOut]);

  const { workshopState, raisedHands } = room;
  const { moderates, isHost } = standingIn(workshopState, me.userId);
  const alert = useHandAlert(room, moderates, me.userId);
  const title = workshopState?.title ?? workshop?.title ?? '';
  const waiting = moderates && raisedHands.length > 0 ? `${words.room.handsTitle(raisedHands.length)} ` : '';
  useTitle(`${waiting}${title}`);

  const status = workshopState?.status ?? workshop?.status;
  const over = status === 'ended' || status === 'cancelled';
  const refused = room.error !== null && !room.joined && workshopState === null;
  const shared = { me, room, workshopId, attempt };
  const led =
    isHost || moderates || workshop?.hostId === me.userId || workshop?.coHostIds?.includes(me.userId);

  return (
    <div className={over ? 'room-page over' : 'room-page'}>
      <ConnectionBanner room={room} active={admitted && !over} />
      <main className="room">
        <RoomHeader
          me={me}
          room={room}
          workshop={workshop}
          notice={over ? null : notice}
          onExit={onExit}
          onNotice={setNotice}
        />
        <p className="hidden" role="status">
          {alert}
        </p>
        {problem !== null && (
          <p className="problem card" role="alert">
            {sayRefusal(problem)}
          </p>
        )}
        {refused && <Refused room={room} />}
        {over && workshop !== null && (
          <After
            workshopId={workshopId}
            cancelled={status === 'cancelled'}
            mayAnalyse={led || roles.includes('analyst') || roles.includes('admin')}
            onExit={onExit}
            onTimeline={onTimeline}
          />
        )}
        {(status === 'scheduled' || status === 'lobby') && workshopState !== null && workshop !== null && (
          <Before
            workshop={workshop}
            status={status}
            scheduledAt={workshopState.scheduledAt}
            isHost={isHost}
            mayStart={moderates}
            onNotice={setNotice}
          />
        )}
        {workshopState !== null && !over && (
          <div className="columns">
            <HandQueue {...shared} />
            <Chat {...shared} />
            <People {...shared} />
          </div>
        )}
        {workshopState === null && !refused && problem === null && !over && (
          <p className="soft card">{words.room.entering}</p>
        )}
      </main>
    </div>
  );
}

function Refused({ room }: { room: WorkshopSocket }) {
  const words = useWords();
  if (room.error === null) return null;
  return (
    <div className="card row spread" role="alert">
      <p className="problem">
        {sayRefusal(room.error)}
        {room.removalReason !== null && words.room.reason(room.removalReason)}
      </p>
      {!room.error.retryable && (
        <button type="button" onClick={() => void room.joinWorkshop()}>
          {words.room.tryAgain}
        </button>
      )}
    </div>
  );
}
