/** What this process has open: child processes, connections and listening sockets, counted by kind. */
import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';

export type OpenResources = ReadonlyMap<string, number>;

/** What is counted, by Node's names, and what people call it. */
const kinds: Record<string, string> = {
  ProcessWrap: 'child process',
  TCPServerWrap: 'listening socket',
  TCPSocketWrap: 'connection',
  PipeServerWrap: 'listening socket file',
};

/** Only what keeps the process alive is counted: an idle connection of `fetch`, for one, does not. */
export function openResources(): OpenResources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (kind in kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** What is open beyond `before`, in words: `['2 × connection']`. */
export function openedSince(before: OpenResources): string[] {
  return [...openResources()].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} × ${kinds[kind]}`] : [];
  });
}

/** From where to where each open connection goes, and what it is in the middle of. */
export function openConnections(): string[] {
  // Node has no documented way to them. Without this one the counts have to do.
  const { _getActiveHandles: handles } = process as { _getActiveHandles?: () => unknown[] };
  return (handles?.call(process) ?? []).flatMap((handle) => {
    if (!(handle instanceof Socket) || handle.remotePort === undefined) return [];
    const { localPort, remotePort, readyState, bytesRead, bytesWritten } = handle;
    const paused = handle.isPaused() ? ', paused' : '';
    const heard = handle.eventNames().map(String).join(' ');
    return `port ${localPort} to ${remotePort}: ${readyState}${paused}, ${bytesRead} bytes read, ${bytesWritten} written; heard for ${heard}`;
  });
}

/** The command lines of this process' children, where the system tells (Linux). */
export function childCommands(): string[] {
  try {
    return readdirSync('/proc/self/task')
      .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' '))
      .filter(Boolean)
      .map(
        (pid) => `pid ${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`,
      );
  } catch {
    // Another system, or a child that ended meanwhile: the counts say enough.
    return [];
  }
}
