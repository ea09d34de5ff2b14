import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { Injectable } from '@nestjs/common';

import type { ManifestPart } from '../archive/manifest.js';
import { openPart } from '../archive/unpack.js';
import type { ArchiveSet } from '../backups/stored-manifest.js';
import { EngineRegistry } from '../engines/engine-registry.js';
import { compareWithManifest } from './archive-comparison.js';
import { VerificationDiffersError } from './verification.errors.js';

/** Has an engine read an archive to its end, without a server. */
@Injectable()
export class ArchiveInspector {
  constructor(private readonly engines: EngineRegistry) {}

  /**
   * Reads every part once. On the way its bytes are compared with the manifest, as stored and as unpacked; what the engine finds in the
   * data is compared in the end. Roles are plain statements, of which nobody but a server can say more.
   * @throws `archive-damaged`, `archive-missing`, `archive-unreadable`, `archive-foreign`, VerificationDiffersError
   */
  async inspect(set: ArchiveSet, signal: AbortSignal, onBytes: (storedBytes: number) => void): Promise<void> {
    let before = 0;
    for (const part of set.manifest.parts) {
      await this.#read(set, part, signal, (bytes) => onBytes(before + bytes));
      before += part.stored.size_bytes;
    }
  }

  async #read(
    set: ArchiveSet,
    part: ManifestPart,
    signal: AbortSignal,
    onBytes: (storedBytes: number) => void,
  ): Promise<void> {
    const { storage, manifest } = set;
    const bytes = await openPart(storage, set.keyOf(part), part, manifest.compression, signal, onBytes);
    try {
      if (part.role !== 'data') {
        await pipeline(bytes, nowhere(), { signal });
        return;
      }
      const found = await this.engines.get(manifest.engine).inspect(bytes, manifest.format, { signal });
      // Its end is what says that stored and plain digests are the manifest's; an engine that has not got there has checked nothing.
      if (!bytes.readableEnded) throw new Error(`the engine stopped before the end of ${part.filename}`);
      const difference = compareWithManifest(manifest, found);
      if (difference !== undefined) throw new VerificationDiffersError(manifest.backup_id, difference);
    } finally {
      bytes.destroy(); // an engine that refuses before it reads leaves the archive open
    }
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
