import { ArchiveForeignError, ArchiveUnreadableError } from '../../tools.errors.js';
import {
  ARCHIVE_MAGIC,
  type ArchiveHeader,
  type ArchivePrelude,
  type CollectionEntry,
  LARGEST_DOCUMENT_BYTES,
  SMALLEST_DOCUMENT_BYTES,
  TERMINATOR,
} from './archive.js';
import { type NamespaceHeader, parseEntry, parseHeader, parseNamespaceHeader } from './frame-documents.js';

/** About ten thousand bytes for each collection with many indexes: enough for twenty-five thousand of them. */
const LARGEST_PRELUDE_BYTES = 256 * 1024 * 1024;
const WORD_BYTES = 4;
/** The first two bytes of gzip, which `mongodump --gzip` puts around an archive. */
const GZIP_MAGIC = 0x8b1f;

/** What a walker finds, in the order of the archive. Each may throw what is wrong with it. */
export interface FramePieces {
  prelude(prelude: ArchivePrelude): void;
  /** Documents of this namespace follow, or it ends. */
  namespace(header: NamespaceHeader): void;
  /** Bytes of a document, in `chunk` from `from` to `to`; the document ends with them if `isLast`. Never empty. */
  document(chunk: Buffer, from: number, to: number, isLast: boolean): void;
}

/** What the next four bytes begin. Every piece of the format starts with four bytes that say what it is. */
type Expected = 'magic' | 'header' | 'entries' | 'namespace' | 'documents' | 'terminator';

/**
 * Steps through an archive from length to length, in chunks of any size. It keeps three bytes of a user's document at most, and
 * of the format's own documents one; no length that it reads makes it allocate. Throws `archive-foreign` or `archive-unreadable`.
 */
export class FrameWalker {
  readonly #pieces: FramePieces;
  #expected: Expected = 'magic';
  /** Bytes of a document of ours or of a user that are still to come. */
  #left = 0;
  /** The beginning of one of the format's own documents. */
  readonly #own: Buffer[] = [];
  /** Up to three bytes where four are needed. */
  #held: Buffer = Buffer.alloc(0);
  #header: ArchiveHeader | undefined;
  readonly #entries: CollectionEntry[] = [];
  #prelude: ArchivePrelude | undefined;
  #preludeBytes = 0;

  constructor(pieces: FramePieces) {
    this.#pieces = pieces;
  }

  /** Takes the next bytes. The last piece given out is over when this returns: a caller may then settle what it saw. */
  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) at = this.#goOn(chunk, at);
      else if (this.#held.length > 0) at = this.#completeWord(chunk, at);
      else if (this.#expected === 'documents') at = this.#walkDocuments(chunk, at);
      else if (chunk.length - at < WORD_BYTES) at = this.#hold(chunk, at);
      else at = this.#begin(chunk.readUInt32LE(at), chunk, at);
    }
  }

  /** The bytes are over: throws unless that is where an archive may end. Whether every namespace did is the caller's to know. */
  end(): void {
    const isBetween = this.#expected === 'namespace' && this.#left === 0 && this.#held.length === 0;
    if (!isBetween) throw new ArchiveUnreadableError(`it ends within ${this.#place()}`);
  }

  /** Where nearly all bytes of an archive go through: whole documents, from a boundary on. */
  #walkDocuments(chunk: Buffer, start: number): number {
    let at = start;
    const lastWord = chunk.length - WORD_BYTES;
    while (at <= lastWord) {
      const length = chunk.readUInt32LE(at);
      if (length === TERMINATOR) {
        this.#expected = 'namespace';
        return at + WORD_BYTES;
      }
      mustBeLength(length, PLACES.documents);
      const to = at + length;
      if (to > chunk.length) {
        this.#pieces.document(chunk, at, chunk.length, false);
        this.#left = to - chunk.length;
        return chunk.length;
      }
      mustEndWithZero(chunk, to);
      this.#pieces.document(chunk, at, to, true);
      at = to;
    }
    return at < chunk.length ? this.#hold(chunk, at) : at;
  }

  #hold(chunk: Buffer, at: number): number {
    this.#held = Buffer.concat([this.#held, chunk.subarray(at)]);
    return chunk.length;
  }

  /** Four bytes that came in two chunks or more. */
  #completeWord(chunk: Buffer, at: number): number {
    const missing = WORD_BYTES - this.#held.length;
    if (chunk.length - at < missing) return this.#hold(chunk, at);
    const word = Buffer.concat([this.#held, chunk.subarray(at, at + missing)]);
    this.#held = Buffer.alloc(0);
    this.#begin(word.readUInt32LE(0), word, 0);
    return at + missing;
  }

  /** Takes a word, and gives where to go on. */
  #begin(word: number, chunk: Buffer, at: number): number {
    if (this.#expected === 'magic') {
      mustBeMagic(word);
      this.#expected = 'header';
      return at + WORD_BYTES;
    }
    if (word === TERMINATOR) {
      this.#terminate();
      return at + WORD_BYTES;
    }
    if (this.#expected === 'terminator')
      throw new ArchiveUnreadableError('documents follow the end of their namespace');
    mustBeLength(word, this.#place());
    if (this.#prelude === undefined) this.#growPrelude(word);
    this.#left = word;
    return this.#goOn(chunk, at);
  }

  /** Takes what is there of the document that has begun. */
  #goOn(chunk: Buffer, at: number): number {
    const to = Math.min(at + this.#left, chunk.length);
    this.#left -= to - at;
    const isLast = this.#left === 0;
    if (isLast) mustEndWithZero(chunk, to);
    if (this.#expected === 'documents') {
      this.#pieces.document(chunk, at, to, isLast);
      return to;
    }
    this.#own.push(chunk.subarray(at, to));
    if (isLast) this.#takeOwn(Buffer.concat(this.#own.splice(0)));
    return to;
  }

  #takeOwn(bytes: Buffer): void {
    if (this.#expected === 'header') {
      this.#header = parseHeader(bytes);
      this.#expected = 'entries';
    } else if (this.#expected === 'entries') {
      this.#entries.push(parseEntry(bytes));
    } else {
      const header = parseNamespaceHeader(bytes);
      this.#expected = header.isEnd ? 'terminator' : 'documents';
      this.#pieces.namespace(header);
    }
  }

  #terminate(): void {
    if (this.#expected === 'entries' && this.#header !== undefined) {
      this.#prelude = { header: this.#header, entries: this.#entries };
      this.#pieces.prelude(this.#prelude);
    } else if (this.#expected !== 'documents' && this.#expected !== 'terminator') {
      throw new ArchiveUnreadableError(`${this.#place()} is missing`);
    }
    this.#expected = 'namespace';
  }

  #growPrelude(bytes: number): void {
    this.#preludeBytes += bytes;
    if (this.#preludeBytes > LARGEST_PRELUDE_BYTES)
      throw new ArchiveUnreadableError('its list of collections does not end');
  }

  #place(): string {
    return PLACES[this.#expected];
  }
}

const PLACES: Readonly<Record<Expected, string>> = {
  magic: 'its first four bytes',
  header: 'its header',
  entries: 'its list of collections',
  namespace: "a namespace's header",
  documents: 'the documents of a collection',
  terminator: 'the end of a collection',
};

function mustBeMagic(word: number): void {
  if (word === ARCHIVE_MAGIC) return;
  const isGzip = (word & 0xff_ff) === GZIP_MAGIC;
  const found = isGzip ? 'it is compressed with gzip; decompress it first' : 'it begins with other bytes';
  throw new ArchiveForeignError('an archive of mongodump', found);
}

function mustBeLength(length: number, place: string): void {
  if (length < SMALLEST_DOCUMENT_BYTES || length > LARGEST_DOCUMENT_BYTES)
    throw new ArchiveUnreadableError(`in ${place}, ${length} is no length of a document`);
}

function mustEndWithZero(bytes: Buffer, end: number): void {
  if (bytes[end - 1] !== 0) throw new ArchiveUnreadableError('a document does not end where its length says');
}
