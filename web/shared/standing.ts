/** What someone is in a workshop, and what its status lets people do. The server decides; the page offers no more than that. */
import type { WorkshopState } from '../../src/hooks/useWorkshopSocket.ts';

export interface Standing {
  isHost: boolean;
  /** Host or co-host. */
  moderates: boolean;
  /** Hands, speaking and chat: from the lobby to the end. */
  isOpen: boolean;
  isOver: boolean;
}

export function standingIn(state: WorkshopState | null, userId: number): Standing {
  const isHost = state?.hostId === userId;
  return {
    isHost,
    moderates: isHost || state?.coHostIds.includes(userId) === true,
    isOpen: state?.status === 'lobby' || state?.status === 'live',
    isOver: state?.status === 'ended' || state?.status === 'cancelled',
  };
}
