/** What this process has open: child processes, connections and listening sockets, counted by kind. */
import { readdirSync, readFileSync } from 'node:fs';

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
