/** Who is at this command line, as what was asked for says it. */
import { hostname, userInfo } from 'node:os';

export function whoAsks(): string {
  return `${userInfo().username} at ${hostname()}`;
}
