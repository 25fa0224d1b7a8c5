/**
 * A socket to one place where a Postgres may be, with TLS where that was asked for. Done by ourselves and not by the driver, so that
 * it has an end, says what was waited for, and a name that stands for several addresses leads to all of them.
 */
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP, Socket } from 'node:net';
import { type ConnectionOptions, connect as secure } from 'node:tls';
import { type Host, shownHost, type Tls } from './address.ts';

/** Of a name: one of the addresses that it stands for. */
export interface Target {
  /** As it was given: a certificate is looked at by it. */
  host: Host;
  address: { path: string } | { host: string; port: number };
  /** For people. */
  shown: string;
}

/** A name that stands for several servers – a primary and its standbys, in one cluster's DNS – is each of them in turn. */
export async function targetsOf(host: Host): Promise<Target[]> {
  const shown = shownHost(host);
  if ('path' in host || isIP(host.host) !== 0) return [{ host, address: host, shown }];
  const found = await lookup(host.host, { all: true });
  return found.map(({ address }) => ({
    host,
    address: { host: address, port: host.port },
    shown: found.length === 1 ? shown : `${shown} (${address})`,
  }));
}

export interface Dialling {
  tls: Tls | undefined;
  /** Destroys the socket. */
  signal: AbortSignal;
  /** Told what is waited for. */
  onStage(stage: string): void;
}

/** Rejects with what the system says, and with the signal's reason. */
export async function dial(target: Target, { tls, signal, onStage }: Dialling): Promise<Socket> {
  const socket = new Socket();
  // Without Nagle's algorithm: the end of a COPY would wait some 40 ms for what went before it. As an option of `connect` it would be
  // ignored: there it is for sockets that `net.connect` makes.
  socket.setNoDelay(true);
  // Whoever waits is told; what comes when nobody does, such as in the middle of a handshake, must not end the process.
  socket.on('error', () => undefined);
  const giveUp = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    onStage('the connection');
    await happens(socket, 'connect', () => socket.connect(target.address));
    // As with libpq there is no TLS within a machine.
    if (tls === undefined || 'path' in target.host) return socket;
    onStage('an agreement on TLS');
    if (!tls.isDirect && !(await offersTls(socket))) {
      if (tls.mode === 'prefer') return socket;
      throw new Error(`Postgres at ${target.shown} offers no TLS, which sslmode=${tls.mode} asks for`);
    }
    const encrypted = secure({ socket, ...namesOf(target.host.host), ...tlsOptions(tls) });
    encrypted.on('error', () => undefined);
    await happens(encrypted, 'secureConnect');
    return encrypted;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function happens(socket: Socket, event: string, begin?: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('Postgres hung up while the connection was made'));
    socket.once('error', reject).once('close', onClose);
    socket.once(event, () => {
      socket.off('error', reject).off('close', onClose);
      resolve();
    });
    begin?.();
  });
}

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const yes = 'S'.charCodeAt(0);

/** Protocol: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL */
async function offersTls(socket: Socket): Promise<boolean> {
  let answer: Buffer | undefined;
  const onData = (bytes: Buffer) => {
    answer = bytes;
    socket.emit('answered');
  };
  socket.once('data', onData);
  await happens(socket, 'answered', () => socket.write(sslRequest));
  // What comes with the answer was said by who knows no key, and would be taken for the server's.
  if (answer?.length !== 1) throw new Error('Postgres does not answer as it should when asked for TLS');
  return answer[0] === yes;
}

function namesOf(host: string): ConnectionOptions {
  return isIP(host) === 0 ? { host, servername: host } : { host };
}

function tlsOptions({ mode, isDirect, ca, certificate, key, keyPassword, min, max }: Tls): ConnectionOptions {
  return {
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
    ...(isDirect && { ALPNProtocols: ['postgresql'] }),
    // Read each time: they are renewed.
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(certificate !== undefined && { cert: readFileSync(certificate) }),
    ...(key !== undefined && { key: readFileSync(key) }),
    ...(keyPassword !== undefined && { passphrase: keyPassword }),
    ...(min !== undefined && { minVersion: min }),
    ...(max !== undefined && { maxVersion: max }),
  };
}
