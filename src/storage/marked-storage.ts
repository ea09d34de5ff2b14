import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';

import type { DestinationMarks } from './destination-marks.js';
import {
  StorageKeyExistsError,
  StorageKeyInvalidError,
  StorageObjectMissingError,
  StorageRangeInvalidError,
  StorageUnavailableError,
} from './storage.errors.js';
import {
  Storage,
  type ByteRange,
  type PartChoice,
  type PutReceipt,
  type StorageSpace,
  type StoredObject,
} from './storage.js';

/** The object that says which destination this is. */
export const MARK_KEY = '.backstop-destination';

const MARK = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A mark is 36 characters; whatever lies there instead is not read further than this. */
const MARK_BYTES = 100;

/** What a storage is called, for the catalog and for people. */
export interface MarkedPlace {
  /** Name of the destination. */
  destination: string;
  /** Where it is, as an operator would look for it: a folder's path, a bucket's address. */
  place: string;
}

/**
 * A storage that does nothing at the wrong place. A folder whose disk is not mounted looks like an empty one: archives would
 * be taken for lost, deletions for done, and new archives would be written to the disk below. Therefore a small object with
 * an id lies in the root of every destination, and the catalog knows that id. It is looked at before each call, and again
 * after one that found something absent or made something; where it is not what it should be, the call rejects with
 * `storage-unavailable`, and nothing is known and nothing is changed.
 *
 * The mark is made when a destination is used for the first time. One that lies there already is taken over, so that a new
 * catalog can be set up beside old archives. It is never made anew by itself: whether an empty folder is a new disk or a lost
 * one is for a person to say ([decision 14](../../docs/decisions/0014-a-destination-bears-a-mark.md)).
 */
export class MarkedStorage extends Storage {
  override readonly kind: string;
  readonly #log = new Logger('Storage');
  readonly #inner: Storage;
  readonly #where: MarkedPlace;
  readonly #marks: DestinationMarks;
  #expected: string | undefined;
  /** Keys of puts whose parts may lie at a place that went away. */
  readonly #left = new Set<string>();
  #learning: Promise<string> | undefined;

  constructor(inner: Storage, where: MarkedPlace, marks: DestinationMarks) {
    super();
    this.kind = inner.kind;
    this.#inner = inner;
    this.#where = where;
    this.#marks = marks;
  }

  override async put(key: string, bytes: Readable, signal: AbortSignal): Promise<PutReceipt> {
    bytes.on('error', () => undefined); // one that comes before the storage listens must not end the process
    try {
      refuseMark(key);
      await this.#mustBeOurs();
    } catch (error) {
      bytes.destroy();
      throw error;
    }
    const receipt = await this.#put(key, bytes, signal);
    try {
      await this.#mustBeOurs();
    } catch (error) {
      // The place was exchanged meanwhile. What can be reached of the object now is removed; its row names the rest.
      await this.#inner.delete(key).catch(() => undefined);
      throw error;
    }
    return receipt;
  }

  override async get(key: string, range?: ByteRange): Promise<Readable> {
    refuseMark(key);
    await this.#mustBeOurs();
    try {
      return await this.#inner.get(key, range);
    } catch (error) {
      if (error instanceof StorageObjectMissingError) await this.#mustBeOurs();
      throw error;
    }
  }

  override async stat(key: string): Promise<StoredObject | undefined> {
    refuseMark(key);
    await this.#mustBeOurs();
    const found = await this.#inner.stat(key);
    if (found === undefined) await this.#mustBeOurs();
    return found;
  }

  override async *list(prefix: string): AsyncGenerator<StoredObject> {
    await this.#mustBeOurs();
    for await (const object of this.#inner.list(prefix)) if (object.key !== MARK_KEY) yield object;
    await this.#mustBeOurs();
  }

  override async delete(key: string): Promise<void> {
    refuseMark(key);
    await this.#mustBeOurs();
    await this.#inner.delete(key);
    await this.#mustBeOurs();
  }

  /** Unknown while the place is not ours: the room on the disk below a mount point is nobody's business. */
  override async space(): Promise<StorageSpace | undefined> {
    try {
      await this.#mustBeOurs();
    } catch (error) {
      if (error instanceof StorageUnavailableError) return undefined;
      throw error;
    }
    return this.#inner.space();
  }

  override async sweep(choice?: PartChoice): Promise<number> {
    await this.#mustBeOurs();
    return this.#inner.sweep(choice);
  }

  override async close(): Promise<void> {
    await this.#inner.close();
  }

  /** The part of a put whose place went away could not be removed; it goes before the next one, when the place is back. */
  async #put(key: string, bytes: Readable, signal: AbortSignal): Promise<PutReceipt> {
    try {
      if (this.#left.size > 0) await this.#inner.sweep({ of: [...this.#left] });
      this.#left.clear();
      return await this.#inner.put(key, bytes, signal);
    } catch (error) {
      bytes.destroy();
      await this.#mustBeOurs().catch(() => this.#left.add(key));
      throw error;
    }
  }

  async #mustBeOurs(): Promise<void> {
    const expected = this.#expected ?? (await this.#learn());
    const found = await this.#read();
    if (found !== expected) throw this.#refusal(expected, found);
  }

  /** What the mark must say. Found out once, and by one call for all that come meanwhile. */
  async #learn(): Promise<string> {
    this.#learning ??= this.#firstLook().finally(() => {
      this.#learning = undefined;
    });
    this.#expected = await this.#learning;
    return this.#expected;
  }

  async #firstLook(): Promise<string> {
    const { destination, place } = this.#where;
    const known = await this.#marks.find(destination);
    if (known?.mark) return known.mark;
    const isThere = (await this.#inner.stat(MARK_KEY)) !== undefined;
    if (!isThere && known?.witnessKey && (await this.#inner.stat(known.witnessKey)) === undefined) {
      throw this.#refusal(uuidv7(), undefined);
    }
    const mark = isThere ? await this.#read() : await this.#make();
    if (mark === undefined || !MARK.test(mark)) throw this.#refusal(uuidv7(), mark);
    const noted = await this.#marks.note(destination, mark);
    this.#log.log({ destination, place, mark: noted, wasThere: isThere }, 'the destination bears our mark');
    return noted;
  }

  async #make(): Promise<string | undefined> {
    const mark = uuidv7();
    try {
      await this.#inner.put(
        MARK_KEY,
        Readable.from([Buffer.from(`${mark}\n`)]),
        new AbortController().signal,
      );
      return mark;
    } catch (error) {
      if (error instanceof StorageKeyExistsError) return this.#read(); // another process was faster
      throw error;
    }
  }

  async #read(): Promise<string | undefined> {
    try {
      return (await text(await this.#inner.get(MARK_KEY, { start: 0, end: MARK_BYTES - 1 }))).trim();
    } catch (error) {
      if (error instanceof StorageObjectMissingError) return undefined;
      if (error instanceof StorageRangeInvalidError) return ''; // it is empty
      throw error;
    }
  }

  #refusal(expected: string, found: string | undefined): StorageUnavailableError {
    const { destination, place } = this.#where;
    const bears = found === undefined || found === '' ? 'bears no mark' : 'bears the mark of another place';
    return new StorageUnavailableError(
      place,
      `it ${bears}, so its disk is most likely not mounted, and nothing is read or written there. Mount it. ` +
        `If it is the right place all the same (moved without hidden files, or kept while the catalog was replaced), ` +
        `adopt it by the line ${expected} in its file ${MARK_KEY}`,
      { destination, place, expected_mark: expected, found_mark: found ?? null },
    );
  }
}

/** No object may pass for the mark. */
function refuseMark(key: string): void {
  if (key === MARK_KEY) throw new StorageKeyInvalidError(key, 'the mark of the destination has this name');
}
