/**
 * A workshop's room for React: connects, joins while `workshopId` is set, follows every event, comes back after cuts, and
 * leaves on unmount. Everything it knows it has from the client in `src/client`.
 */
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Socket } from 'socket.io-client';
import { type Reply, refusal } from '../client/reply.ts';
import {
  type Connection,
  type ConnectionSnapshot,
  type Follower,
  followerOf,
  type RoomView,
  unknownRoom,
  type WireError,
  workshopConnection,
} from '../client/workshopClient.ts';

export type { Reply, WireError } from '../client/workshopClient.ts';

export interface WorkshopState {
  status: 'scheduled' | 'lobby' | 'live' | 'ended' | 'cancelled';
  startedAt: Date | null;
  endedAt: Date | null;
  hostId: number;
  coHostIds: number[];
  title: string;
  scheduledAt: Date;
}

export interface AttendeeInfo {
  userId: number;
  displayName: string;
  avatarUrl: string | null;
  isHost: boolean;
  isCoHost: boolean;
  canSpeak: boolean;
}

export interface WorkshopSocketOptions {
  /** Where the server is, with its path if it has one: `https://example.org/rooms`; the page's own origin if left out. */
  url?: string | undefined;
  /** Sent in the handshake instead of relying on the cookie. A new one is used without leaving the room. */
  token?: string | undefined;
}

export interface WorkshopSocket extends WorkshopCommands {
  /** null until the first effect has run. Single events can be listened for on it (`workshop:user-muted`). */
  socket: Socket | null;
  connected: boolean;
  /** null until known. Stays as it was while the connection is away. */
  workshopState: WorkshopState | null;
  /** Who is present, in the order of joining. In a room of more than 500 the rest comes with `loadAttendees`. */
  attendees: AttendeeInfo[];
  attendeeCount: number;
  /** User ids in the order of raising. */
  raisedHands: number[];
  /** Whether this socket is in the room. */
  joined: boolean;
  /** Why there is no connection, or why the room could not be entered. */
  error: WireError | null;
  /** With the error `removed`: the reason that was given, if any. */
  removalReason: string | null;
  /** Who the server takes one for, which a page that is signed in by cookie can't read there. null before the first join. */
  userId: number | null;
  /** Tries to connect now instead of when the next try is due. */
  retryNow(): void;
  loadAttendees(): Promise<boolean>;
}

const unconnected: ConnectionSnapshot = { connected: false, error: null };
const nobody: AttendeeInfo[] = [];
const noHands: number[] = [];

export function useWorkshopSocket(
  workshopId: number | null,
  options: WorkshopSocketOptions = {},
): WorkshopSocket {
  const { url, token } = options;
  const connection = useConnection(url, token);
  const socket = connection?.socket ?? null;
  const follower = useMemo(
    () => (socket === null || workshopId === null ? null : followerOf(socket, workshopId)),
    [socket, workshopId],
  );
  useMembership(follower);

  const { connected, error } = useStore(connection, unconnected);
  const room = useStore(follower, unknownRoom);
  const workshopState = useWorkshopState(room.view);
  const commands = useMemo(() => workshopCommands(follower), [follower]);
  const rest = useMemo(
    () => ({
      retryNow: () => connection?.retryNow(),
      loadAttendees: () => follower?.loadAttendees() ?? Promise.resolve(false),
    }),
    [connection, follower],
  );

  return {
    socket,
    connected,
    workshopState,
    attendees: room.view?.attendees ?? nobody,
    attendeeCount: room.view?.attendeeCount ?? 0,
    raisedHands: room.view?.raisedHands ?? noHands,
    joined: connected && room.phase === 'inside',
    error: error ?? room.error,
    removalReason: room.removalReason,
    userId: room.userId,
    ...commands,
    ...rest,
  };
}

/** One connection for as long as the component is mounted and the address stays. */
function useConnection(url: string | undefined, token: string | undefined): Connection | null {
  const [connection, setConnection] = useState<Connection | null>(null);
  useEffect(() => {
    const made = workshopConnection({ url });
    setConnection(made);
    return () => {
      setConnection(null);
      void made.close();
    };
  }, [url]);
  useEffect(() => {
    if (connection === null) return;
    connection.authenticate(token);
    connection.open();
  }, [connection, token]);
  return connection;
}

/** In the room while mounted. */
function useMembership(follower: Follower | null): void {
  useEffect(() => {
    if (follower === null) return;
    void follower.join();
    return () => void follower.leave();
  }, [follower]);
}

export function useWorkshopState(view: RoomView | null): WorkshopState | null {
  const known = view !== null;
  const { status, startedAt, endedAt, hostId, coHostIds, title, scheduledAt } = view ?? absentView;
  return useMemo(
    () =>
      known
        ? {
            status,
            startedAt: startedAt === null ? null : new Date(startedAt),
            endedAt: endedAt === null ? null : new Date(endedAt),
            hostId,
            coHostIds,
            title,
            scheduledAt: new Date(scheduledAt),
          }
        : null,
    [known, status, startedAt, endedAt, hostId, coHostIds, title, scheduledAt],
  );
}

/** Stands in for a view that is not known yet, so that a hook's dependencies are always the same ones. */
const absentView: Pick<
  RoomView,
  'status' | 'startedAt' | 'endedAt' | 'hostId' | 'coHostIds' | 'title' | 'scheduledAt'
> = {
  status: 'scheduled',
  startedAt: null,
  endedAt: null,
  hostId: 0,
  coHostIds: [],
  title: '',
  scheduledAt: '',
};

/** The room's commands as functions. Each resolves to the server's reply and never rejects. */
export interface WorkshopCommands {
  joinWorkshop(): Promise<Reply>;
  leaveWorkshop(): Promise<Reply>;
  raiseHand(): Promise<Reply>;
  /** One's own hand, or another's where one is host or co-host. */
  lowerHand(targetUserId?: number): Promise<Reply>;
  approveSpeaker(targetUserId: number): Promise<Reply>;
  revokeSpeaker(targetUserId: number): Promise<Reply>;
  promoteCoHost(targetUserId: number): Promise<Reply>;
  demoteCoHost(targetUserId: number): Promise<Reply>;
  muteUser(targetUserId: number): Promise<Reply>;
  removeUser(targetUserId: number, reason?: string): Promise<Reply>;
  readmitUser(targetUserId: number): Promise<Reply>;
}

/** Commands to the room of that follower; refused with `not_joined` while there is none. */
function workshopCommands(follower: Follower | null): WorkshopCommands {
  const nowhere = () => Promise.resolve(refusal('not_joined'));
  const send = (name: string, payload?: object) => follower?.send(name, payload) ?? nowhere();
  const aimed = (name: string) => (targetUserId: number) => send(name, { targetUserId });
  return {
    joinWorkshop: () => follower?.join() ?? nowhere(),
    leaveWorkshop: () => follower?.leave() ?? nowhere(),
    raiseHand: () => send('raise-hand'),
    lowerHand: (targetUserId) => send('lower-hand', targetUserId === undefined ? {} : { targetUserId }),
    approveSpeaker: aimed('approve-speaker'),
    revokeSpeaker: aimed('revoke-speaker'),
    promoteCoHost: aimed('promote-cohost'),
    demoteCoHost: aimed('demote-cohost'),
    muteUser: aimed('mute-user'),
    removeUser: (targetUserId, reason) =>
      send('remove-user', { targetUserId, ...(reason !== undefined && { reason }) }),
    readmitUser: aimed('readmit-user'),
  };
}

/** What the client keeps: it can be read, and says when it changed. */
interface Store<T> {
  subscribe(listener: () => void): () => void;
  snapshot(): T;
}

/** The store's snapshot, or `absent` (always the same object) while there is no store, as on a server. */
export function useStore<T>(store: Store<T> | null, absent: T): T {
  const subscribe = useCallback((listener: () => void) => store?.subscribe(listener) ?? (() => {}), [store]);
  const snapshot = () => store?.snapshot() ?? absent;
  return useSyncExternalStore(subscribe, snapshot, () => absent);
}
