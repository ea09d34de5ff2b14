import { ARCHIVE_MAGIC, type ArchivePrelude, nameOf, type Namespace, TERMINATOR } from './archive.js';
import { Crc64 } from './crc64.js';
import { entryBytes, headerBytes, namespaceHeaderBytes } from './frame-documents.js';

const TERMINATOR_BYTES = wordBytes(TERMINATOR);

/**
 * Frames documents into an archive: gives the bytes to write next, in order. The caller writes them, and calls nothing else
 * before it did; several collections may take turns.
 */
export class ArchiveWriter {
  readonly #crcs = new Map<string, Crc64>();
  /** The namespace whose segment is open. */
  #current: string | undefined;

  /** The beginning of an archive. Every namespace that it lists must be ended later, views as well. */
  prelude({ header, entries }: ArchivePrelude): Uint8Array[] {
    return [wordBytes(ARCHIVE_MAGIC), headerBytes(header), ...entries.map(entryBytes), TERMINATOR_BYTES];
  }

  /** Whole documents, one after the other in `batch`. Its bytes are given back as they are, not copied. */
  documents(namespace: Namespace, batch: Uint8Array): Uint8Array[] {
    if (batch.length === 0) return [];
    const name = nameOf(namespace);
    this.#crcOf(name).update(batch);
    if (this.#current === name) return [batch];
    const before = this.#closeSegment();
    this.#current = name;
    return [...before, namespaceHeaderBytes({ ...namespace, isEnd: false, crc: 0n }), batch];
  }

  /** The namespace has no more documents. */
  end(namespace: Namespace): Uint8Array[] {
    const name = nameOf(namespace);
    const crc = this.#crcOf(name).value;
    this.#crcs.delete(name);
    const before = this.#closeSegment();
    return [...before, namespaceHeaderBytes({ ...namespace, isEnd: true, crc }), TERMINATOR_BYTES];
  }

  #closeSegment(): Uint8Array[] {
    const isOpen = this.#current !== undefined;
    this.#current = undefined;
    return isOpen ? [TERMINATOR_BYTES] : [];
  }

  #crcOf(name: string): Crc64 {
    const known = this.#crcs.get(name) ?? new Crc64();
    this.#crcs.set(name, known);
    return known;
  }
}

function wordBytes(word: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(word);
  return bytes;
}
