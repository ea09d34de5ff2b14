import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { Clock } from '../../clock/clock.js';
import { withTimeLimit } from '../../clock/time-limit.js';
import type { Connection } from '../engine.js';
import { ServerTimeoutError, ServerUnreachableError, TlsFailedError } from '../engines.errors.js';

/** Also covers a server that accepts and never answers; see `Engine.probe`. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** A server that speaks TLS greets at once; one that does not may wait for more. */
const TLS_GREETING_MS = 2000;

/** The addresses that a connection names itself: `host` and `seeds`. None for a name of an SRV record. */
export function addressesOf({
  host,
  port,
  parameters,
}: Pick<Connection, 'host' | 'port' | 'parameters'>): { host: string; port: number }[] {
  if (parameters?.['srv'] === 'true') return [];
  const seeds = parameters?.['seeds']?.split(',').filter(Boolean) ?? [];
  return [{ host, port }, ...seeds.map(addressOf)];
}

function addressOf(text: string): { host: string; port: number } {
  const match = /^(?<host>\[.*\]|[^:]*)(?::(?<port>\d+))?$/.exec(text)?.groups;
  return {
    host: (match?.['host'] ?? text).replace(/^\[(.*)\]$/, '$1'),
    port: Number(match?.['port'] ?? 27_017),
  };
}

/**
 * Makes sure, before the driver is asked, that somebody listens at one of the addresses: the driver would go on trying for as long
 * as a server may take to answer, where a refused connection is a fact. Rejects with `server-unreachable` or `server-timeout`.
 */
export async function reachServer(connection: Connection, signal: AbortSignal, clock: Clock): Promise<void> {
  const addresses = addressesOf(connection);
  if (addresses.length === 0) return;
  const limit = {
    ms: CONNECT_TIMEOUT_MS,
    reason: new ServerTimeoutError(connection, CONNECT_TIMEOUT_MS / 1000),
  };
  await withTimeLimit(clock, limit, signal, async (limited) => {
    const won = new AbortController();
    const either = AbortSignal.any([limited, won.signal]);
    try {
      await Promise.any(addresses.map((address) => knock(address, either)));
    } catch (error) {
      limited.throwIfAborted();
      const reasons = error instanceof AggregateError ? error.errors.map(String).join('; ') : String(error);
      throw new ServerUnreachableError(connection, reasons.replaceAll('Error: ', ''), { cause: error });
    } finally {
      won.abort();
    }
  });
}

/**
 * Whether the connection will be encrypted, as its TLS mode asks. MongoDB has no way to ask for it within a connection, but a server
 * that speaks TLS greets back at once: `prefer`, which promises nothing, goes by that. Rejects with `tls-failed` when TLS is asked for
 * and the server closes at the greeting; the driver would try on for as long as a server may take to answer.
 */
export async function chooseTls(connection: Connection, signal: AbortSignal, clock: Clock): Promise<boolean> {
  const { mode } = connection.tls;
  if (mode === 'disable') return false;
  const [address] = addressesOf(connection);
  if (address === undefined) return true; // an SRV record means TLS
  const greeting = await greetTls({ ...connection, ...address }, signal, clock);
  if (mode === 'prefer') return greeting === 'yes';
  if (greeting === 'no') throw new TlsFailedError(connection, 'the server does not speak TLS');
  return true;
}

async function greetTls(
  { host, port, tls: { cert, key } }: Connection,
  signal: AbortSignal,
  clock: Clock,
): Promise<'yes' | 'no' | 'silent'> {
  const limit = { ms: TLS_GREETING_MS, reason: new Error('no greeting') };
  try {
    await withTimeLimit(clock, limit, signal, async (limited) => {
      await settled(
        connectTls({ host, port, rejectUnauthorized: false, cert, key }),
        'secureConnect',
        limited,
      );
    });
    return 'yes';
  } catch (error) {
    signal.throwIfAborted();
    return error === limit.reason ? 'silent' : 'no';
  }
}

async function knock(address: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  await settled(connectTcp(address), 'connect', signal);
}

/** Resolves at `event`, and closes the socket in any case. */
async function settled(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> {
  const onAbort = (): void => void socket.destroy(new Error('given up'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(event, () => resolve());
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.on('error', () => undefined);
    socket.destroy();
  }
}
