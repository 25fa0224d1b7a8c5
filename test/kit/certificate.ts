/** A certificate for this machine's own addresses, which signs itself. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';

export interface Certificate {
  /** The files of it and of its key. */
  certificate: string;
  key: string;
  close(): Promise<void>;
}

export function selfSigned(): Certificate {
  const folder = temporaryFolder('certificate');
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const files = ['-keyout', 'key', '-out', 'certificate'];
  const options = ['-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', names, ...files];
  // Debian's Postgres, which the tests need too, depends on openssl.
  const run = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...options], { cwd: folder.path });
  if (run.status !== 0) throw new Error(`openssl made no certificate: ${run.stderr ?? run.error}`);
  const { path, close } = folder;
  return { certificate: join(path, 'certificate'), key: join(path, 'key'), close };
}
