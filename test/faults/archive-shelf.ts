import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Compression, COMPRESSIONS, type Manifest } from '../../src/archive/manifest.ts';
import { decodeManifest, encodeManifest } from '../../src/archive/manifest-codec.ts';
import { openPart, verifyPart } from '../../src/archive/unpack.ts';
import type { Engine } from '../../src/engines/engine.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { never, packBytes } from '../archive/packing.ts';
import { dumped, plainCall } from '../contracts/engine-under-test.ts';
import { connectionTo } from '../engines/postgres-under-test.ts';
import { freshDatabase, sql } from '../support/postgres-servers.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

type Format = 'custom' | 'plain';

/** An archive as it is stored, and the manifest beside it. */
export interface ShelvedArchive {
  format: Format;
  compression: Compression;
  archive: Buffer;
  manifest: Buffer;
}

const KEY = 'shop/archive';
const TABLES = `
  CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, doc jsonb);
  CREATE INDEX items_name ON items (name);
  CREATE TABLE empty (id int);
  CREATE SEQUENCE numbers;
  INSERT INTO items SELECT i, 'name ' || i, jsonb_build_object('n', md5(i::text)) FROM generate_series(1, 400) i;
  SELECT lo_from_bytea(4711, decode(repeat('00ff5c', 20000), 'hex'));`;

/** Real archives of one database in every format and compression, for tests that damage copies of them. */
export class ArchiveShelf {
  readonly #engine: Engine;
  readonly #sets: ShelvedArchive[];
  readonly #others: Record<Format, ShelvedArchive>;

  private constructor(engine: Engine, sets: ShelvedArchive[], others: Record<Format, ShelvedArchive>) {
    this.#engine = engine;
    this.#sets = sets;
    this.#others = others;
  }

  static async fill(engine: Engine, server: PostgresServer, dir: string): Promise<ArchiveShelf> {
    await using database = await freshDatabase(server, 'shelf');
    await sql(server, database.name, TABLES);
    const make = (format: Format, compression: Compression): Promise<ShelvedArchive> =>
      shelved(engine, server, database.name, dir, { format, compression });
    const sets: ShelvedArchive[] = [];
    for (const format of ['custom', 'plain'] as const) {
      for (const compression of COMPRESSIONS) sets.push(await make(format, compression));
    }
    await sql(server, database.name, `UPDATE items SET name = 'NAME ' || id`); // as long as before
    const others = { custom: await make('custom', 'none'), plain: await make('plain', 'none') };
    return new ArchiveShelf(engine, sets, others);
  }

  all(): readonly ShelvedArchive[] {
    return this.#sets;
  }

  get(format: Format, compression: Compression): ShelvedArchive {
    const found = this.#sets.find((set) => set.format === format && set.compression === compression);
    if (found === undefined) throw new Error(`no archive ${format} ${compression}`);
    return found;
  }

  /** A later archive of the same database, of the same size where the format allows, with other rows. */
  another(format: Format): ShelvedArchive {
    return this.#others[format];
  }

  /**
   * Reads an archive set as a restore and an inspection do: manifest, stored bytes against their digest, then everything to
   * the end through the engine. Rejects when anything of it is not right.
   */
  async check(set: ShelvedArchive, parent: string): Promise<void> {
    const root = await mkdtemp(join(parent, 'set-'));
    try {
      await mkdir(join(root, 'shop'));
      await writeFile(join(root, KEY), set.archive);
      const { parts, format, compression } = decodeManifest(set.manifest.toString('utf8'));
      const [part] = parts;
      if (part === undefined) throw new Error('a manifest without parts was accepted');
      const storage = new LocalStorage(root);
      const refusal = await verifyPart(storage, KEY, part, never).catch((error: unknown) => error);
      // Also what comes after is tried: a download, or a restore that began before the damage, has no look ahead.
      const bytes = await openPart(storage, KEY, part, compression, never);
      await this.#engine.inspect(bytes, format, plainCall());
      if (refusal !== undefined)
        throw new Error('the digest was refused, and the whole archive was read', { cause: refusal });
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }
}

async function shelved(
  engine: Engine,
  server: PostgresServer,
  databaseName: string,
  dir: string,
  { format, compression }: { format: Format; compression: Compression },
): Promise<ShelvedArchive> {
  const { bytes, content } = await dumped(engine, connectionTo(server, databaseName), { format });
  await mkdir(dir, { recursive: true });
  const root = await mkdtemp(join(dir, `${format}-`));
  const part = await packBytes(new LocalStorage(root), KEY, bytes, compression);
  const manifest: Manifest = {
    format_version: 1,
    backup_id: '01a1fca9-86c3-7664-ad5a-ff67775d688b',
    attempt: 1,
    created_at: '2026-11-21T03:15:00.000Z',
    completed_at: '2026-11-21T03:16:00.000Z',
    trigger: 'manual',
    description: null,
    engine: 'postgres',
    database: { name: 'shop', database_name: databaseName, host: 'db.example.org', port: 5432 },
    server: { version: '18.0', major: 18, details: { digest: createHash('sha256').digest('hex') } },
    tool: { name: 'pg_dump', version: '18.0' },
    written_by: '0.1.0',
    format,
    options: { format },
    compression,
    encryption: null,
    parts: [part],
    content,
  };
  const archive = await readFile(join(root, KEY));
  return { format, compression, archive, manifest: Buffer.from(encodeManifest(manifest)) };
}
