import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A way to a server that a test can break. */
export interface TcpProxy extends AsyncDisposable {
  address: { host: string; port: number };
  /** Bytes that have come from the server so far. */
  readonly received: number;
  /** Breaks every connection, and refuses new ones until `mend`. Resolves when all are gone. */
  cut(): Promise<void>;
  /** Breaks every connection as a server that crashes does: without a goodbye. New ones are let through. */
  reset(): Promise<void>;
  /** From now on nothing arrives on either side, and nobody is told; new connections hang as well. Until `mend`. */
  blackHole(): void;
  /** A black hole as soon as so many more bytes have come from clients. Resolves then; the rest of the piece is held as well. */
  holdAfter(bytes: number): Promise<void>;
  /** Each piece waits so long before it goes on. */
  delay(ms: number): void;
  /** Everything goes at this pace, in bytes per second and direction of each connection. */
  throttle(bytesPerSecond: number): void;
  /** Everything goes through again, at once, what was held up first. */
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
  const proxy = new Proxy(to);
  await proxy.listen();
  return proxy;
}

class Proxy implements TcpProxy {
  readonly #to: { host: string; port: number };
  readonly #open = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  readonly #upstreams = new Set<Socket>();
  readonly #server = createServer((client) => this.#accept(client));
  #isCut = false;
  #delayMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #received = 0;
  #bytesLeft = Number.POSITIVE_INFINITY;
  #hold: { bytesLeft: number; held: () => void } | undefined;
  /** Passed by each piece; pending while there is a black hole. */
  #gate = Promise.withResolvers<void>();
  /** Ends every waiting that trouble has made. */
  #mended = new AbortController();

  constructor(to: { host: string; port: number }) {
    this.#to = to;
    this.#gate.resolve();
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get address(): { host: string; port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return { host: '127.0.0.1', port: address.port };
  }

  get received(): number {
    return this.#received;
  }

  async cut(): Promise<void> {
    this.#isCut = true;
    await this.#endAll((socket) => socket.destroy());
  }

  async reset(): Promise<void> {
    await this.#endAll((socket) => socket.resetAndDestroy());
  }

  blackHole(): void {
    const earlier = this.#gate;
    this.#gate = Promise.withResolvers<void>();
    void this.#gate.promise.then(earlier.resolve);
  }

  holdAfter(bytes: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hold = { bytesLeft: bytes, held: resolve };
    return promise;
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  mend(): void {
    this.#isCut = false;
    this.#hold = undefined;
    this.#delayMs = 0;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#gate.resolve();
    this.#mended.abort();
    this.#mended = new AbortController();
  }

  breakAfter(bytes: number): void {
    this.#bytesLeft = bytes;
  }

  connections(): number {
    return this.#clients.size;
  }

  bytesToClients(): number {
    return [...this.#upstreams].reduce((sum, socket) => sum + socket.bytesRead, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
    this.mend();
    this.#server.close();
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    const upstream = connect(this.#to.port, this.#to.host);
    this.#upstreams.add(upstream);
    upstream.on('close', () => this.#upstreams.delete(upstream));
    for (const socket of [client, upstream]) {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    }
    // A broken end breaks both; whoever uses the proxy is the one who looks at it.
    void this.#carry(client, upstream, (bytes) => this.#holdAt(bytes));
    void this.#carry(upstream, client, (bytes) => {
      this.#received += bytes;
      this.#bytesLeft -= bytes;
      if (this.#bytesLeft > 0) return;
      this.#bytesLeft = Number.POSITIVE_INFINITY;
      for (const socket of this.#open) socket.destroy();
    });
  }

  #holdAt(bytes: number): void {
    if (this.#hold === undefined) return;
    this.#hold.bytesLeft -= bytes;
    if (this.#hold.bytesLeft > 0) return;
    const { held } = this.#hold;
    this.#hold = undefined;
    this.blackHole();
    held();
  }

  async #carry(from: Socket, to: Socket, count: (bytes: number) => void): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        count(chunk.length);
        const pauseMs = this.#delayMs + (chunk.length / this.#bytesPerSecond) * 1000;
        if (pauseMs > 0)
          await delay(pauseMs, undefined, { signal: this.#mended.signal }).catch(() => undefined);
        await this.#gate.promise;
        if (!to.write(chunk)) await untilTaken(to);
      }
      await this.#gate.promise;
      to.end();
    } catch {
      from.destroy();
      to.destroy();
    }
  }

  async #endAll(end: (socket: Socket) => void): Promise<void> {
    await Promise.all(
      [...this.#open].map(async (socket) => {
        const closed = once(socket, 'close');
        end(socket);
        await closed;
      }),
    );
  }
}

/** Rejects when whoever was to take it is gone: a socket that is closed never drains. */
async function untilTaken(socket: Socket): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    if (!socket.destroyed)
      await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  } finally {
    settled.abort();
  }
  if (socket.destroyed) throw new Error('the connection is gone');
}
