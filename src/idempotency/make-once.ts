import type { Clock } from '../clock/clock.js';
import { isRemembered } from './idempotency.js';

/**
 * The columns in which a record remembers the request that made it: its key, under a unique index, and a mark of all that it said. By its
 * own fields a record cannot tell, as it may have been changed since. Both are null when it had no key, or when that was given up.
 */
export interface Origin {
  idempotencyKey: string | null;
  requestMark: string | null;
}

export const NO_ORIGIN: Readonly<Origin> = { idempotencyKey: null, requestMark: null };

/** What a room does for a request with a key. */
export interface KeyedMaking<Row> {
  /** The record with this key, however old, of what has been committed. */
  find(): Promise<Row | null>;
  /** Takes the key from it, in a transaction of its own: whoever holds one record must not wait for another. */
  giveUp(row: Row): Promise<unknown>;
  /** @throws IdempotencyKeyReusedError when the request that made it said something else */
  refuseUnlessFor(row: Row): void;
  /** Makes the record, with the key. */
  make(): Promise<Row>;
  /** Whether `make` failed for the unique index of keys. */
  isKeyTaken(error: unknown): boolean;
}

/**
 * Makes one record for all requests with one key, also when they come at once and to several services. The unique index decides; whoever
 * loses looks again, and has the record of the faster one. A record as it is today is the answer, whatever it was then. With a record
 * that was removed its key is gone, too, and the request is carried out as if it were the first.
 *
 * @throws IdempotencyKeyReusedError, and what `make` throws
 */
export async function makeOnce<Row extends { createdAt: Date }>(
  making: KeyedMaking<Row>,
  clock: Pick<Clock, 'now'>,
): Promise<Row> {
  for (;;) {
    const first = await findFirst(making, clock);
    if (first !== null) return first;
    try {
      return await making.make();
    } catch (error) {
      // What is in the way, of the key or of a name, may be what the same request, sent twice, has just made.
      const faster = await findFirst(making, clock);
      if (faster !== null) return faster;
      // Somebody had the key, and it is free again.
      if (!making.isKeyTaken(error)) throw error;
    }
  }
}

async function findFirst<Row extends { createdAt: Date }>(
  making: KeyedMaking<Row>,
  clock: Pick<Clock, 'now'>,
): Promise<Row | null> {
  const found = await making.find();
  if (found === null) return null;
  if (!isRemembered(found.createdAt, clock.now())) {
    await making.giveUp(found);
    return null;
  }
  making.refuseUnlessFor(found);
  return found;
}
