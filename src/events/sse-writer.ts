import { once } from 'node:events';
import type { Response } from 'express';

import type { Clock } from '../clock/clock.js';
import { withTimeLimit } from '../clock/time-limit.js';
import { SlowListenerError } from './events.errors.js';

/** A listener who takes nothing for so long is let go; he can come back with the number of the last event that he had. */
const SLOW_MS = 30_000;

/** One entry of a stream. */
export interface SseEntry {
  event: string;
  id?: number;
  data: object;
}

/**
 * Writes server-sent events. Each call resolves when the client's connection has room for more, so that whoever writes holds no
 * more than one entry for a client who is slow.
 */
export class SseWriter {
  constructor(
    private readonly response: Response,
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
  ) {}

  async begin(): Promise<void> {
    this.response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // Proxies of the nginx kind would collect the stream instead of handing it on.
      'X-Accel-Buffering': 'no',
    });
    this.response.flushHeaders();
    await this.#write('retry: 2000\n: welcome\n\n');
  }

  async entry({ event, id, data }: SseEntry): Promise<void> {
    const number = id === undefined ? '' : `id: ${id}\n`;
    await this.#write(`event: ${event}\n${number}data: ${JSON.stringify(data)}\n\n`);
  }

  /** Shows that we are there, and where a filtered stream has got to: an entry without data moves the client's last id alone. */
  async heartbeat(number: number): Promise<void> {
    await this.#write(`: still here\nid: ${number}\n\n`);
  }

  end(): void {
    this.response.end();
  }

  /** @throws SlowListenerError when the client takes nothing for too long, and the signal's reason */
  async #write(text: string): Promise<void> {
    this.signal.throwIfAborted();
    if (this.response.write(text)) return;
    const limit = { ms: SLOW_MS, reason: new SlowListenerError(SLOW_MS / 1000) };
    await withTimeLimit(this.clock, limit, this.signal, (signal) => this.#drained(signal));
  }

  async #drained(signal: AbortSignal): Promise<void> {
    try {
      await once(this.response, 'drain', { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }
}
