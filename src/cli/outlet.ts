/** Where a long text of a command goes: as fast as it is taken, and never half a file under its name. */
import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { CommandFailed } from './command.ts';

export async function intoStdout(pieces: AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

/** Beside its place until it is whole; a file that was there is replaced then. Resolves with its length in bytes. */
export async function intoFile(pieces: AsyncIterable<string>, path: string): Promise<number> {
  const part = `${path}.${process.pid}.part`;
  const file = await open(part, 'wx').catch((cause: unknown) => {
    throw new CommandFailed(`${path} cannot be written: ${reasonOf(cause)}`);
  });
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      const buffer = Buffer.from(piece);
      await file.writeFile(buffer);
      bytes += buffer.length;
    }
    await file.close();
    await rename(part, path);
    return bytes;
  } catch (cause) {
    await file.close();
    await rm(part, { force: true });
    throw cause;
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
