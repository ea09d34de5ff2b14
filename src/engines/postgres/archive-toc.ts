import { ArchiveForeignError, ArchiveUnreadableError } from '../tools.errors.js';
import type { ArchiveLayout } from './archive-walker.js';

/** One entry of the table of contents of a custom archive. Names are unquoted. */
export interface TocEntry {
  dumpId: number;
  /** `TABLE`, `TABLE DATA`, `FK CONSTRAINT`, … */
  kind: string;
  /** Schema; empty for what has none. */
  schema: string;
  /** Name of the object; of a table's part often `table part`. */
  tag: string;
  owner: string;
  tablespace: string;
  definition: string;
  /** `dumpId`s of what must be there before. */
  dependencies: number[];
  /** Whether a block of data belongs to it. */
  hasData: boolean;
}

/** The beginning of a custom archive: what it is and what it holds. */
export interface ArchiveToc {
  formatVersion: string;
  databaseName: string;
  /** Version of the server that was dumped, and of the tool that dumped it: `17.6`. */
  serverVersion: string;
  serverMajor: number;
  toolVersion: string;
  toolMajor: number;
  entries: TocEntry[];
  layout: ArchiveLayout;
}

/** Thrown by the reader when the bytes end before the table of contents does; caught in `parseToc`. */
class MoreNeeded extends Error {}

const MAGIC = 'PGDMP';
const CUSTOM_FORMAT = 1;
/** Written by pg_dump 12 (1.14), 16 (1.15) and 17 (1.16); the fields that came with each are read by number below. */
const OLDEST = 14;
const NEWEST = 16;
const V_COMPRESSION_ALGORITHM = 15;
const V_RELKIND = 16;

/**
 * Reads the table of contents of a custom archive of pg_dump from the archive's first bytes; `undefined` when it does not end
 * within them. The layout is that of `ReadHead` and `ReadToc` in PostgreSQL's `pg_backup_archiver.c`. We read it ourselves
 * because `pg_restore --list` prints names without quotes, so that blanks in them make its lines ambiguous, and without
 * dependencies. Throws `archive-foreign` or `archive-unreadable`.
 */
export function parseToc(head: Buffer): ArchiveToc | undefined {
  if (!MAGIC.startsWith(head.toString('latin1', 0, Math.min(head.length, MAGIC.length)))) {
    throw new ArchiveForeignError('a custom archive of pg_dump', describeStart(head));
  }
  try {
    return new TocReader(head).read();
  } catch (error) {
    if (error instanceof MoreNeeded) return undefined;
    throw error;
  }
}

class TocReader {
  readonly #bytes: Buffer;
  #at = MAGIC.length;
  #intBytes = 4;
  #offsetBytes = 8;
  #minor = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): ArchiveToc {
    const major = this.#byte();
    this.#minor = this.#byte();
    const formatVersion = `${major}.${this.#minor}`;
    this.#byte(); // revision
    if (major !== 1 || this.#minor < OLDEST || this.#minor > NEWEST) {
      throw new ArchiveForeignError(
        'an archive of pg_dump 12 to 18',
        `its format is version ${formatVersion}`,
      );
    }
    this.#intBytes = this.#byte();
    this.#offsetBytes = this.#byte();
    if (this.#intBytes < 4 || this.#intBytes > 6) {
      throw new ArchiveForeignError('an archive of pg_dump', `its numbers have ${this.#intBytes} bytes`);
    }
    if (this.#byte() !== CUSTOM_FORMAT) {
      throw new ArchiveForeignError(
        'a custom archive of pg_dump',
        'an archive of pg_dump in tar or directory format',
      );
    }
    if (this.#minor >= V_COMPRESSION_ALGORITHM) this.#byte();
    else this.#int();
    for (let field = 0; field < 7; field += 1) this.#int(); // time of creation
    const databaseName = this.#text();
    const serverVersion = shortVersion(this.#text());
    const toolVersion = shortVersion(this.#text());
    const count = this.#int();
    if (count < 0) throw new ArchiveUnreadableError('its table of contents has a negative length');
    const entries: TocEntry[] = [];
    for (let entry = 0; entry < count; entry += 1) entries.push(this.#entry());
    return {
      formatVersion,
      databaseName,
      serverVersion,
      serverMajor: Number.parseInt(serverVersion, 10),
      toolVersion,
      toolMajor: Number.parseInt(toolVersion, 10),
      entries,
      layout: {
        tocBytes: this.#at,
        intBytes: this.#intBytes,
        blocks: entries.filter(({ hasData }) => hasData).length,
      },
    };
  }

  #entry(): TocEntry {
    const dumpId = this.#int();
    const hasData = this.#int() !== 0;
    this.#text(); // oid of the catalog
    this.#text(); // oid
    const tag = this.#text();
    const kind = this.#text();
    this.#int(); // section
    const definition = this.#text();
    this.#text(); // statement that drops it
    this.#text(); // statement that copies its data
    const schema = this.#text();
    const tablespace = this.#text();
    this.#text(); // access method
    if (this.#minor >= V_RELKIND) this.#int();
    const owner = this.#text();
    this.#text(); // whether the table has oids, "false" since PostgreSQL 12
    const dependencies: number[] = [];
    for (let id = this.#nullableText(); id !== undefined; id = this.#nullableText())
      dependencies.push(Number(id));
    this.#skip(1 + this.#offsetBytes); // where its data begin; unknown in a stream
    return { dumpId, kind, schema, tag, owner, tablespace, definition, dependencies, hasData };
  }

  #byte(): number {
    this.#need(1);
    const value = this.#bytes.readUInt8(this.#at);
    this.#at += 1;
    return value;
  }

  /** A sign, then the lowest byte first. */
  #int(): number {
    this.#need(1 + this.#intBytes);
    const sign = this.#bytes.readUInt8(this.#at) === 0 ? 1 : -1;
    const value = this.#bytes.readUIntLE(this.#at + 1, this.#intBytes);
    this.#at += 1 + this.#intBytes;
    return sign * value;
  }

  #text(): string {
    return this.#nullableText() ?? '';
  }

  #nullableText(): string | undefined {
    const length = this.#int();
    if (length < 0) return undefined;
    this.#need(length);
    const text = this.#bytes.toString('utf8', this.#at, this.#at + length);
    this.#at += length;
    return text;
  }

  #skip(bytes: number): void {
    this.#need(bytes);
    this.#at += bytes;
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw new MoreNeeded();
  }
}

/** `15.18 (Debian 15.18-0+deb12u1)` → `15.18` */
function shortVersion(text: string): string {
  return text.split(' ')[0] ?? text;
}

function describeStart(head: Buffer): string {
  if (head.length === 0) return 'it is empty';
  const start = head.toString('latin1', 0, 40);
  if (start.startsWith('--')) return 'it looks like SQL text';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'it is compressed with zstd';
  if (start.startsWith('\x1f\x8b')) return 'it is compressed with gzip';
  if (start.startsWith('age-encryption.org')) return 'it is encrypted';
  return 'it begins with other bytes';
}
