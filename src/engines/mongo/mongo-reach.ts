import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { Clock } from '../../clock/clock.js';
import { withTimeLimit } from '../../clock/time-limit.js';
import type { Connection } from '../engine.js';
import { ServerTimeoutError, ServerUnreachableError, TlsFailedError } from '../engines.errors.js';

/** Also covers a server that accepts and never answers; see `Engine.probe`. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** A server that speaks TLS greets at once; one that does not may wait for more. */
const TLS_GREETING_MS = 2000;
/** What a connection fails with that never came about. */
const AWAY = new Set<unknown>([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** One server of those that a connection names. */
export interface Address {
  host: string;
  port: number;
}

/** The addresses that a connection names itself: `host` and `seeds`. None for a name of an SRV record. */
export function addressesOf({
  host,
  port,
  parameters,
}: Pick<Connection, 'host' | 'port' | 'parameters'>): Address[] {
  if (parameters?.['srv'] === 'true') return [];
  const seeds = parameters?.['seeds']?.split(',').filter(Boolean) ?? [];
  return [{ host, port }, ...seeds.map(addressOf)];
}

function addressOf(text: string): Address {
  const match = /^(?<host>\[.*\]|[^:]*)(?::(?<port>\d+))?$/.exec(text)?.groups;
  return {
    host: (match?.['host'] ?? text).replace(/^\[(.*)\]$/, '$1'),
    port: Number(match?.['port'] ?? 27_017),
  };
}

/**
 * Makes sure, before the driver is asked, that somebody listens at one of the addresses: the driver would go on trying for as long
 * as a server may take to answer, where a refused connection is a fact. Rejects with `server-unreachable` or `server-timeout`.
 * @returns the first address that answered: one member of a replica set may be down; undefined for a name of an SRV record
 */
export async function reachServer(
  connection: Connection,
  signal: AbortSignal,
  clock: Clock,
): Promise<Address | undefined> {
  const addresses = addressesOf(connection);
  if (addresses.length === 0) return undefined;
  const limit = {
    ms: CONNECT_TIMEOUT_MS,
    reason: new ServerTimeoutError(connection, CONNECT_TIMEOUT_MS / 1000),
  };
  return await withTimeLimit(clock, limit, signal, async (limited) => {
    const won = new AbortController();
    const either = AbortSignal.any([limited, won.signal]);
    try {
      return await Promise.any(addresses.map((address) => knock(address, either)));
    } catch (error) {
      limited.throwIfAborted();
      throw new ServerUnreachableError(connection, reasonsIn(error), { cause: error });
    } finally {
      won.abort();
    }
  });
}

/**
 * Whether the connection will be encrypted, as its TLS mode asks. MongoDB has no way to ask for it within a connection, but a server
 * that speaks TLS greets back at once: `prefer`, which promises nothing, goes by that. Rejects with `tls-failed` when TLS is asked for
 * and the server closes at the greeting; the driver would try on for as long as a server may take to answer. A server that has gone
 * away since it was reached is `server-unreachable`: that says nothing about TLS, and may pass.
 *
 * @param reached what `reachServer` gave
 */
export async function chooseTls(
  connection: Connection,
  reached: Address | undefined,
  signal: AbortSignal,
  clock: Clock,
): Promise<boolean> {
  const { mode } = connection.tls;
  if (mode === 'disable') return false;
  if (reached === undefined) return true; // an SRV record means TLS
  const greeting = await greetTls({ ...connection, ...reached }, signal, clock);
  if (mode === 'prefer') return greeting === 'yes';
  if (greeting === 'no') throw new TlsFailedError(connection, 'the server does not speak TLS');
  return true;
}

async function greetTls(
  connection: Connection,
  signal: AbortSignal,
  clock: Clock,
): Promise<'yes' | 'no' | 'silent'> {
  const {
    host,
    port,
    tls: { cert, key },
  } = connection;
  const limit = { ms: TLS_GREETING_MS, reason: new Error('no greeting') };
  // Node does not send the name by itself; a proxy that serves several names closes without it.
  const servername = isIP(host) === 0 ? host : undefined;
  try {
    await withTimeLimit(clock, limit, signal, async (limited) => {
      await settled(
        connectTls({ host, port, servername, rejectUnauthorized: false, cert, key }),
        'secureConnect',
        limited,
      );
    });
    return 'yes';
  } catch (error) {
    signal.throwIfAborted();
    if (error === limit.reason) return 'silent';
    if (isAway(error)) throw new ServerUnreachableError({ host, port }, reasonsIn(error), { cause: error });
    return 'no';
  }
}

/** The connection was not made at all. One that is reset at the greeting was: so does a server that does not speak TLS. */
function isAway(error: unknown): boolean {
  return error instanceof Error && 'code' in error && AWAY.has(error.code);
}

/** Of each attempt, where a name has several addresses. */
function reasonsIn(error: unknown): string {
  const reasons = error instanceof AggregateError ? error.errors.map(String).join('; ') : String(error);
  return reasons.replaceAll('Error: ', '');
}

async function knock(address: Address, signal: AbortSignal): Promise<Address> {
  await settled(connectTcp(address), 'connect', signal);
  return address;
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
