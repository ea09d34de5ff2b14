import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** A way to a server that a test can break. */
export interface TcpProxy extends AsyncDisposable {
  address: { host: string; port: number };
  /** Breaks every connection, and refuses new ones until `mend`. Resolves when all are gone. */
  cut(): Promise<void>;
  mend(): void;
  /** Breaks every connection as soon as the server has sent so many more bytes; new ones are taken. Infinity: not any more. */
  breakAfter(bytes: number): void;
  /** How many clients are connected now. */
  connections(): number;
  /** Bytes that the server has sent to those who are connected now. */
  bytesToClients(): number;
}

/** Starts a proxy on loopback that leads to a server. */
export async function startProxy(to: { host: string; port: number }): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const clients = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let isCut = false;
  let bytesLeft = Number.POSITIVE_INFINITY;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    clients.add(client);
    client.on('close', () => clients.delete(client));
    const upstream = connect(to.port, to.host);
    upstreams.add(upstream);
    upstream.on('data', (chunk: Buffer) => {
      bytesLeft -= chunk.length;
      if (bytesLeft > 0) return;
      bytesLeft = Number.POSITIVE_INFINITY;
      for (const socket of open) socket.destroy();
    });
    upstream.on('close', () => upstreams.delete(upstream));
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setMaxListeners(20); // a pipeline of three parts has many
      socket.on('close', () => open.delete(socket));
    }
    // A broken end breaks both; whoever uses the proxy is the one who looks at it.
    pipeline(client, upstream, client).catch(() => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const cut = async (): Promise<void> => {
    isCut = true;
    await Promise.all(
      [...open].map(async (socket) => {
        const closed = once(socket, 'close');
        socket.destroy();
        await closed;
      }),
    );
  };
  return {
    address: { host: '127.0.0.1', port: address.port },
    cut,
    mend: () => {
      isCut = false;
    },
    breakAfter: (bytes) => {
      bytesLeft = bytes;
    },
    connections: () => clients.size,
    bytesToClients: () => [...upstreams].reduce((sum, socket) => sum + socket.bytesRead, 0),
    [Symbol.asyncDispose]: async () => {
      await cut();
      server.close();
    },
  };
}
