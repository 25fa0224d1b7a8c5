/** What the page says of what was just done, by oneself and to oneself, with a way back where a command undoes it. */
import { useCallback, useEffect, useState } from 'react';
import type { Reply, WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import type { User } from '../shared/api.ts';
import type { Notice } from '../shared/NoticeLine.tsx';
import { sayRefusal, words } from '../words/words.ts';

/** Waits for the answer and says what came of it; true if it was done. */
export type Attempt = (
  asked: Promise<Reply>,
  done?: { text: string; undo?: () => Promise<Reply> },
) => Promise<boolean>;

export interface Notices {
  notice: Notice | null;
  setNotice(notice: Notice | null): void;
  attempt: Attempt;
}

export function useNotices(room: WorkshopSocket, me: User): Notices {
  const [notice, setNotice] = useState<Notice | null>(null);
  const attempt = useCallback<Attempt>(async (asked, done) => {
    const reply = await asked;
    if (!reply.ok) {
      setNotice({ text: sayRefusal(reply.error), problem: true });
      return false;
    }
    const { undo } = done ?? {};
    setNotice(
      done === undefined
        ? null
        : { text: done.text, ...(undo !== undefined && { undo: () => void attempt(undo()) }) },
    );
    return true;
  }, []);
  useToldToMe(room, me, setNotice);
  return { notice, setNotice, attempt };
}

/** The server says who was asked to be quiet; obeying is the client's part. */
function useToldToMe({ socket }: WorkshopSocket, { userId }: User, tell: (notice: Notice) => void): void {
  useEffect(() => {
    if (socket === null) return;
    const said = {
      'workshop:user-muted': () => words().told.youMute,
      'workshop:speaker-approved': () => words().told.youMayTalk,
      'workshop:speaker-revoked': () => words().told.youNoTalk,
      'workshop:cohost-promoted': () => words().told.youPromoted,
    };
    const hearings = Object.entries(said).map(([name, text]) => {
      const hear = (event: { userId: number }) => {
        if (event.userId === userId) tell({ text: text() });
      };
      socket.on(name, hear);
      return () => void socket.off(name, hear);
    });
    return () => {
      for (const stop of hearings) stop();
    };
  }, [socket, userId, tell]);
}
