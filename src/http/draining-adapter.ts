import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

import { ExpressAdapter } from '@nestjs/platform-express';

import { type Clock } from '../clock/clock.js';

/** After the queue has stopped, answers need moments only; a long download can be taken up again by its `Range`. */
const DRAIN_MS = 5_000;

/**
 * Express that stops listening as soon as the shutdown begins, while the queue ends its work, and lets requests that are
 * being answered end before what they use is closed. Nest's own adapter listens until the end and then cuts, or waits for
 * ever.
 */
export class DrainingAdapter extends ExpressAdapter {
  readonly #answering = new Set<ServerResponse>();
  #closed: Promise<unknown> | undefined;

  constructor(private readonly clock: Clock) {
    super();
  }

  override initHttpServer(options: Parameters<ExpressAdapter['initHttpServer']>[0]): void {
    super.initHttpServer(options);
    this.#server().on('request', (_request: IncomingMessage, response: ServerResponse) => {
      this.#answering.add(response);
      response.once('close', () => this.#answering.delete(response));
    });
  }

  /** Nest calls this first of all at a shutdown. */
  override beforeClose(): void {
    super.beforeClose();
    const server = this.#server();
    if (!server.listening) return;
    this.#closed = once(server, 'close');
    server.close();
  }

  /** Nest calls this when every `beforeApplicationShutdown` has ended. */
  override async close(): Promise<void> {
    if (this.#closed === undefined) return;
    const over = new AbortController();
    const deadline = this.clock.sleep(DRAIN_MS, over.signal).catch(() => undefined);
    await Promise.race([this.#allAnswered(), deadline]);
    over.abort();
    // Also the connections on which nothing was asked: they would hold the server open for ever.
    this.#server().closeAllConnections();
    await this.#closed;
  }

  async #allAnswered(): Promise<void> {
    for (const response of this.#answering) {
      if (!response.closed) await once(response, 'close');
    }
  }

  #server(): Server {
    return this.getHttpServer();
  }
}
