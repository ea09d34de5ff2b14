import { once } from 'node:events';
import type { Readable } from 'node:stream';

import { Logger } from '@nestjs/common';

import type { Clock } from '../clock/clock.js';
import { StorageUnavailableError } from './storage.errors.js';
import {
  Storage,
  type ByteRange,
  type PartChoice,
  type PutReceipt,
  type StorageSpace,
  type StoredObject,
} from './storage.js';
import { WatchedBytes } from './watched-bytes.js';

/** What a put may need to end itself once its signal has aborted; then nobody waits for it any longer. */
const OBEYS_WITHIN_MS = 5_000;
/** What the closing of an object may take whose reader wants no more of it; a read that is under way has to end before. */
const CLOSES_WITHIN_MS = 2_000;

/** How long a storage may leave a call without an answer. */
export interface Patience {
  clock: Clock;
  /** For every call but a put, which lasts as long as its bytes do, and whose signal its caller aborts. */
  limitMs: number;
}

/**
 * A storage whose callers never wait for ever. A share whose server is gone answers no call, and a system call obeys no signal:
 * who awaited one would keep its row `running` until somebody looks. So a call is given up: a put some seconds after its signal has
 * aborted, with the signal's reason; the closing of an object that is read no further, after a moment; any other call after
 * `limitMs`, with `storage-unavailable`. It goes on behind our back, since nothing can end it, and therefore:
 *
 * - while a put that was given up has not ended, nobody is told that its object is gone: `delete`, and a `sweep` of its parts, are
 *   refused, so that a row names the object until it is known what became of it;
 * - while any call has been without an answer for `limitMs`, nothing more is asked of the storage: each call would hold one of the
 *   few threads that also serve the catalog
 *   ([decision 33](../../docs/decisions/0033-a-call-without-an-answer-is-given-up.md)).
 *
 * How long the bytes of an object that was opened may stand still is for its reader to say. Not watched is the sweep of a whole place,
 * which may take hours.
 */
export class WatchedStorage extends Storage {
  override readonly kind: string;
  readonly #log = new Logger('Storage');
  readonly #inner: Storage;
  readonly #place: string;
  readonly #patience: Patience;
  /** Keys of puts that were given up and have not ended. */
  readonly #unended = new Set<string>();
  /** Calls without an answer, and since when they count as that. */
  readonly #unanswered = new Map<Promise<unknown>, string>();

  /** @param place where it is, as an operator would look for it */
  constructor(inner: Storage, place: string, patience: Patience) {
    super();
    this.kind = inner.kind;
    this.#inner = inner;
    this.#place = place;
    this.#patience = patience;
  }

  override async put(key: string, bytes: Readable, signal: AbortSignal): Promise<PutReceipt> {
    bytes.on('error', () => undefined); // one that comes before the storage listens must not end the process
    try {
      this.#mustAnswer();
      return await this.#unlessDisobeyed(key, this.#inner.put(key, bytes, signal), signal);
    } catch (error) {
      bytes.destroy();
      throw error;
    }
  }

  override async get(key: string, range?: ByteRange): Promise<Readable> {
    this.#mustAnswer();
    const opening = this.#inner.get(key, range);
    try {
      return new WatchedBytes(await this.#answered(opening), (closed) => this.#closedSoon(closed));
    } catch (error) {
      void opening.then((late) => late.destroy()).catch(() => undefined);
      throw error;
    }
  }

  override async stat(key: string): Promise<StoredObject | undefined> {
    this.#mustAnswer();
    return this.#answered(this.#inner.stat(key));
  }

  override async *list(prefix: string): AsyncGenerator<StoredObject> {
    this.#mustAnswer();
    const objects = this.#inner.list(prefix)[Symbol.asyncIterator]();
    let isAnswered = true;
    try {
      for (;;) {
        isAnswered = false;
        const next = await this.#answered(objects.next());
        isAnswered = true;
        if (next.done) return;
        yield next.value;
      }
    } finally {
      if (isAnswered) await objects.return?.();
    }
  }

  override async delete(key: string): Promise<void> {
    this.#mustAnswer();
    this.#mustHaveEnded([key]);
    await this.#answered(this.#inner.delete(key));
  }

  /** Unknown while nothing is asked. */
  override async space(): Promise<StorageSpace | undefined> {
    try {
      this.#mustAnswer();
      return await this.#answered(this.#inner.space());
    } catch (error) {
      if (error instanceof StorageUnavailableError) return undefined;
      throw error;
    }
  }

  override async sweep(choice?: PartChoice): Promise<number> {
    this.#mustAnswer();
    if (choice?.of === undefined) return this.#inner.sweep(choice);
    this.#mustHaveEnded(choice.of);
    return this.#answered(this.#inner.sweep(choice));
  }

  override async close(): Promise<void> {
    await this.#inner.close();
  }

  #mustAnswer(): void {
    const [since] = this.#unanswered.values();
    if (since === undefined) return;
    throw this.#unavailable('it does not answer, and nothing more is asked of it until it does', { since });
  }

  #mustHaveEnded(keys: readonly string[]): void {
    const key = keys.find((each) => this.#unended.has(each));
    if (key === undefined) return;
    throw this.#unavailable(`it has not said yet what became of "${key}", whose storing was given up`, {
      key,
    });
  }

  /** Gives what a put gives, or rejects with the reason of its signal when it takes no notice of that. */
  async #unlessDisobeyed(
    key: string,
    putting: Promise<PutReceipt>,
    signal: AbortSignal,
  ): Promise<PutReceipt> {
    const ended = new AbortController();
    const disobeyed = this.#disobeyed(signal, ended.signal).then(() => {
      this.#giveUp(key, putting);
      throw signal.reason;
    });
    try {
      return await Promise.race([putting, disobeyed]);
    } finally {
      ended.abort();
    }
  }

  /** Resolves when a put goes on although its signal has aborted some time ago; rejects when it has ended. */
  async #disobeyed(signal: AbortSignal, ended: AbortSignal): Promise<void> {
    if (!signal.aborted) await once(AbortSignal.any([signal, ended]), 'abort');
    await this.#patience.clock.sleep(OBEYS_WITHIN_MS, ended);
  }

  #giveUp(key: string, putting: Promise<PutReceipt>): void {
    this.#log.warn(
      { place: this.#place, key },
      'the storage does not answer; the put is no longer waited for',
    );
    this.#unended.add(key);
    const end = (): void => void this.#unended.delete(key);
    putting.then(end, end);
    this.#answered(putting).catch(() => undefined);
  }

  /** Resolves when an object is closed, or has not been for too long; then it counts as a call that waits for its answer. */
  async #closedSoon(closed: Promise<void>): Promise<void> {
    const ended = new AbortController();
    const late = this.#patience.clock.sleep(CLOSES_WITHIN_MS, ended.signal).then(() => 'late' as const);
    try {
      if ((await Promise.race([closed, late])) !== 'late') return;
    } finally {
      ended.abort();
    }
    this.#log.warn({ place: this.#place }, 'the storage does not answer; a read is no longer waited for');
    this.#answered(closed).catch(() => undefined);
  }

  /** Gives what a call gives, or rejects when that takes too long. */
  async #answered<T>(call: Promise<T>): Promise<T> {
    const { clock, limitMs } = this.#patience;
    const ended = new AbortController();
    const silence = clock.sleep(limitMs, ended.signal).then(() => {
      this.#note(call);
      throw this.#unavailable(`it gave no answer for ${limitMs / 1000} s (STALL_SECONDS)`);
    });
    try {
      return await Promise.race([call, silence]);
    } finally {
      ended.abort();
    }
  }

  #note(call: Promise<unknown>): void {
    const place = this.#place;
    this.#log.error({ place }, 'the storage does not answer; nothing more is asked of it until it does');
    this.#unanswered.set(call, this.#patience.clock.now().toISOString());
    const end = (): void => {
      this.#unanswered.delete(call);
      if (this.#unanswered.size === 0) this.#log.log({ place }, 'the storage answers again');
    };
    call.then(end, end);
  }

  #unavailable(because: string, facts: Record<string, string> = {}): StorageUnavailableError {
    return new StorageUnavailableError(this.#place, because, { place: this.#place, ...facts });
  }
}
