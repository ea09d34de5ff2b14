import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { SystemClock } from '../../src/clock/system-clock.ts';
import type { Connection, TlsChoice } from '../../src/engines/engine.ts';
import { chooseTls, reachServer } from '../../src/engines/mongo/mongo-reach.ts';

const run = promisify(execFile);
const clock = new SystemClock();
const { signal } = new AbortController();

let folder: string;
let pair: { cert: Buffer; key: Buffer };
const servers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-reach-'));
  const [key, crt] = [join(folder, 'a.key'), join(folder, 'a.crt')];
  const request = ['-subj', '/CN=localhost', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...request, '-keyout', key, '-out', crt]);
  pair = { key: await readFile(key), cert: await readFile(crt) };
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server that greets in TLS. Gives the names that clients have asked for. */
async function tlsServer(): Promise<{ port: number; names: string[] }> {
  const names: string[] = [];
  const SNICallback = (name: string, done: (error: Error | null) => void): void => {
    names.push(name);
    done(null);
  };
  const server = createTlsServer({ ...pair, SNICallback }, (socket) => socket.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  return { port: await listening(server), names };
}

/** A server that speaks something else: it closes at the first byte that it does not understand, as `mongod` does. */
async function plainServer(): Promise<number> {
  return listening(
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.destroy());
    }),
  );
}

/** A port at which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

function connectionTo(ports: readonly number[], mode: TlsChoice['mode']): Connection {
  const [port = 0, ...others] = ports;
  const seeds = others.map((other) => `localhost:${other}`).join(',');
  return {
    host: 'localhost',
    port,
    databaseName: 'x',
    tls: { mode },
    ...(seeds && { parameters: { seeds } }),
  };
}

async function choice(connection: Connection): Promise<boolean> {
  return chooseTls(connection, await reachServer(connection, signal, clock), signal, clock);
}

describe('reaching a MongoDB server', () => {
  test('TLS is what the member that answers speaks, when the first one that is named is down', async () => {
    const { port } = await tlsServer();
    for (const mode of ['prefer', 'require'] as const) {
      expect(await choice(connectionTo([await closedPort(), port], mode))).toBe(true);
    }
  });

  test('the greeting says which name is meant, for a proxy that serves several', async () => {
    const { port, names } = await tlsServer();
    await choice(connectionTo([port], 'require'));
    expect(names).toEqual(['localhost']);
  });

  test('a server without TLS is taken as it is, or refused, as the mode asks', async () => {
    const port = await plainServer();
    expect(await choice(connectionTo([port], 'prefer'))).toBe(false);
    const refused = { code: 'tls-failed', retryable: false };
    await expect(choice(connectionTo([port], 'require'))).rejects.toMatchObject(refused);
  });

  test('a server that went away after it was reached says nothing about TLS', async () => {
    const port = await closedPort();
    const gone = { code: 'server-unreachable', retryable: true };
    for (const mode of ['prefer', 'require'] as const) {
      const connection = connectionTo([port], mode);
      await expect(chooseTls(connection, { host: 'localhost', port }, signal, clock)).rejects.toMatchObject(
        gone,
      );
      await expect(reachServer(connection, signal, clock)).rejects.toMatchObject(gone);
    }
  });
});
