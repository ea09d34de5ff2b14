import { Injectable } from '@nestjs/common';

import { verifyParts } from '../archive/unpack.js';
import { Clock } from '../clock/clock.js';
import { StallGuard } from '../clock/stall-guard.js';
import { Config } from '../config/config.js';
import type { BackupCopy } from './backup-copy.entity.js';
import type { Backup } from './backup.entity.js';
import { ArchiveMismatchError } from './backups.errors.js';
import { CopyFaults } from './copy-faults.js';
import { type ArchiveSet, StoredManifests } from './stored-manifest.js';

/** How one who reads a copy is told of it, and ends it. */
export interface Reading {
  signal: AbortSignal;
  /** Gets the stored bytes read so far, of all parts together, for every chunk. */
  onBytes?: (storedBytes: number) => void;
  /** The error that it ends with when no byte has come for so many seconds. */
  stalled: (seconds: number) => Error;
}

/** Reads a whole copy; calls `onBytes` for every chunk. */
export type ReadCopy<T> = (signal: AbortSignal, onBytes: (storedBytes: number) => void) => Promise<T>;

/** Reads the copies of backups, and writes down what that shows of them: for everybody who has to know that one is good. */
@Injectable()
export class ArchiveChecks {
  constructor(
    private readonly clock: Clock,
    private readonly config: Config,
    private readonly manifests: StoredManifests,
    private readonly faults: CopyFaults,
  ) {}

  /**
   * Opens the best copy of a backup, or the given one, and makes sure that it speaks of this backup.
   * @throws `manifest-changed`, `storage-object-missing`, ArchiveMismatchError, and what `reading` ends it with
   */
  async open(backup: Backup, reading: Reading, copy?: BackupCopy): Promise<ArchiveSet> {
    const set = await this.#guarded(reading, (signal) =>
      this.manifests.open(backup, { signal, ...(copy && { copy }) }),
    );
    compareWithCatalog(backup, set);
    return set;
  }

  /**
   * Reads every part as it is stored, to its end.
   * @throws `archive-damaged`, `archive-missing`, and what `reading` ends it with
   */
  async confirm(set: ArchiveSet, reading: Reading): Promise<void> {
    await this.read(set, reading, (signal, onBytes) => verifyParts(set, signal, onBytes));
  }

  /**
   * Runs what reads a copy to its end. An error that proves the copy to be bad is noted; when all of it has been read and is what
   * was stored, one that was noted earlier is over.
   */
  async read<T>(set: ArchiveSet, reading: Reading, read: ReadCopy<T>): Promise<T> {
    const result = await this.faults.watch(set.copy, () => this.#guarded(reading, read));
    await this.faults.clear(set.copy);
    return result;
  }

  async #guarded<T>({ signal, onBytes, stalled }: Reading, read: ReadCopy<T>): Promise<T> {
    const { stallSeconds } = this.config;
    const guard = new StallGuard(this.clock, {
      ms: stallSeconds * 1000,
      reason: () => stalled(stallSeconds),
    });
    return guard.watch(
      read(AbortSignal.any([signal, guard.signal]), (bytes) => {
        guard.alive();
        onBytes?.(bytes);
      }),
    );
  }
}

/** The manifest's digest is known to be right; that the row it is attached to tells the same story is checked too. */
function compareWithCatalog(backup: Backup, { manifest }: ArchiveSet): void {
  const data = manifest.parts.find((part) => part.role === 'data');
  const pairs = [
    { field: 'backup_id', catalog: backup.id, manifest: manifest.backup_id },
    { field: 'engine', catalog: backup.engine, manifest: manifest.engine },
    { field: 'sha256', catalog: backup.sha256, manifest: data?.stored.sha256 },
  ];
  const different = pairs.find((pair) => pair.catalog !== pair.manifest);
  if (different !== undefined) throw new ArchiveMismatchError(backup.id, different);
}
