import type { BSON, ClientSession, Db, Document, MongoClient } from 'mongodb';

import type { Clock } from '../../clock/clock.js';
import { withTimeLimit } from '../../clock/time-limit.js';
import { makeExpendable } from '../../process/expendable-buffers.js';
import { type CursorAnswer, readCursorAnswer } from './cursor-answer.js';
import { driver } from './mongo-driver.js';

/** Size of a batch that is aimed at. Servers never send more than 16 MiB at once, or one document. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** Time of a batch that is aimed at: over a slow network it is smaller, so that whoever watches for a stall sees it move. */
const BATCH_MS = 1000;
const FIRST_BATCH_DOCUMENTS = 100;
const MOST_BATCH_DOCUMENTS = 1_000_000;
/** How long the server may take to hear that a cursor is not wanted any more; it forgets it by itself later. */
const KILL_MS = 1000;

/** What a cursor reads. */
export interface RawQuery {
  database: string;
  collection: string;
  filter?: Document;
  /** As in the command `find`. */
  readConcern?: Document;
}

/** Documents as bytes, whole ones, one after the other. Whoever is done with them may free them by `freeExpendable`. */
export type RawBatch = Pick<CursorAnswer, 'documents' | 'count'>;

/**
 * Reads a collection as the bytes that the server sends: nothing is decoded. The driver's own cursor, even a `raw` one, looks at
 * every field of every document; a command that is answered raw does not (measured: a fifth of the CPU for documents of 250 bytes).
 *
 * While a batch is with the caller the next one is on its way, so memory holds two. The driver's errors are thrown as they are;
 * so is a server's answer `ok: 0`. A command does not stick to a member of a replica set as the driver's cursor does: the client
 * must speak to one server, or read from the primary, which a driver does by itself.
 */
export class RawCursor {
  readonly #query: RawQuery;
  readonly #db: Db;
  readonly #session: ClientSession;
  readonly #watch: { clock: Clock; signal: AbortSignal };
  #batchDocuments = FIRST_BATCH_DOCUMENTS;
  #cursorId = 0n;
  #coming: Promise<CursorAnswer> | undefined;
  #clusterTime: BSON.Timestamp | undefined;

  /** Opens the cursor; the first batch is there when this resolves. */
  static async open(
    client: MongoClient,
    query: RawQuery,
    watch: { clock: Clock; signal: AbortSignal },
  ): Promise<RawCursor> {
    const cursor = new RawCursor(client, query, watch);
    try {
      cursor.#coming = Promise.resolve(await cursor.#find());
      return cursor;
    } catch (error) {
      await cursor.close();
      throw error;
    }
  }

  private constructor(client: MongoClient, query: RawQuery, watch: { clock: Clock; signal: AbortSignal }) {
    this.#query = query;
    this.#watch = watch;
    this.#db = client.db(query.database);
    // A cursor belongs to a session. Not a causal one: that would add to the read concern.
    this.#session = client.startSession({ causalConsistency: false });
  }

  /** The moment that a snapshot read is of, if the server said so. */
  get clusterTime(): BSON.Timestamp | undefined {
    return this.#clusterTime;
  }

  /** The next documents; undefined at the end. */
  async next(): Promise<RawBatch | undefined> {
    const answer = await this.#coming;
    if (answer === undefined) return undefined;
    this.#coming = this.#cursorId === 0n ? undefined : this.#getMore();
    return answer;
  }

  /** Lets go of everything, on the server too. Any number of times; never rejects. */
  async close(): Promise<void> {
    await this.#coming?.catch(() => undefined);
    this.#coming = undefined;
    try {
      if (this.#cursorId !== 0n) await this.#kill();
      await this.#session.endSession();
    } catch {
      // the connection is gone, and with it what we could say
    }
    this.#cursorId = 0n;
  }

  async #find(): Promise<CursorAnswer> {
    const { collection, filter = {}, readConcern } = this.#query;
    return await this.#ask({
      find: collection,
      filter,
      batchSize: this.#batchDocuments,
      ...(Object.keys(filter).length === 0 && { hint: { $natural: 1 } }),
      ...(readConcern !== undefined && { readConcern }),
    });
  }

  #getMore(): Promise<CursorAnswer> {
    const answer = this.#ask({
      getMore: driver().BSON.Long.fromBigInt(this.#cursorId),
      collection: this.#query.collection,
      batchSize: this.#batchDocuments,
    });
    answer.catch(() => undefined); // whoever asks for the next batch hears of it
    return answer;
  }

  async #ask(command: Document): Promise<CursorAnswer> {
    const options = { raw: true, session: this.#session, signal: this.#watch.signal };
    const asked = this.#watch.clock.monotonicMs();
    const { cursor, $clusterTime }: Document = await this.#db.command(command, options);
    const tookMs = this.#watch.clock.monotonicMs() - asked;
    if (!(cursor instanceof Uint8Array))
      throw new Error('the driver decoded an answer that it was to give raw');
    const answer = readCursorAnswer(Buffer.from(cursor.buffer, cursor.byteOffset, cursor.byteLength));
    // A replica set signs its time, and the driver sends back the signature's bytes where they lie in this message.
    if ($clusterTime === undefined) makeExpendable(answer.documents);
    this.#cursorId = answer.cursorId;
    this.#clusterTime ??= answer.clusterTime;
    this.#aim(answer, tookMs);
    return answer;
  }

  /** Batches are counted in documents, and wanted by their size and time. */
  #aim({ documents, count }: CursorAnswer, tookMs: number): void {
    if (count === 0) return;
    const ofTime = (BATCH_MS * count) / Math.max(tookMs, 1);
    const wanted = Math.round(Math.min((BATCH_BYTES * count) / documents.length, ofTime));
    this.#batchDocuments = Math.min(Math.max(wanted, 1), MOST_BATCH_DOCUMENTS);
  }

  /** On a signal of its own: the other one may be the reason. */
  async #kill(): Promise<void> {
    const cursors = [driver().BSON.Long.fromBigInt(this.#cursorId)];
    const limit = { ms: KILL_MS, reason: new Error('the server does not answer') };
    await withTimeLimit(this.#watch.clock, limit, new AbortController().signal, async (signal) => {
      const command = { killCursors: this.#query.collection, cursors };
      await this.#db.command(command, { session: this.#session, signal });
    });
  }
}
