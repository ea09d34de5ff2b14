import { Injectable } from '@nestjs/common';

import { verifyPart } from '../archive/unpack.js';
import { BackupQueries } from '../backups/backup-queries.js';
import type { Backup } from '../backups/backup.entity.js';
import { CopyFaults } from '../backups/copy-faults.js';
import { type ArchiveSet, StoredManifests } from '../backups/stored-manifest.js';
import { ArchiveMismatchError } from './restore.errors.js';
import type { RunningRestore } from './restore-progress.js';

/** Makes sure, before anything is touched, that what lies at the destination is what was stored there. */
@Injectable()
export class ArchiveChecker {
  constructor(
    private readonly backups: BackupQueries,
    private readonly manifests: StoredManifests,
    private readonly faults: CopyFaults,
  ) {}

  /**
   * Reads every part of the archive set to its end, and writes down what that shows of the copy.
   * @throws `manifest-changed`, ArchiveMismatchError, `archive-damaged`, `archive-missing`
   */
  async open(backupId: string, running: RunningRestore, signal: AbortSignal): Promise<ArchiveSet> {
    const backup = await this.backups.get(backupId);
    const set = await this.manifests.open(backup);
    compareWithCatalog(backup, set);
    const { parts } = set.manifest;
    running.enter(
      'verifying',
      parts.reduce((total, part) => total + part.stored.size_bytes, 0),
    );
    await this.faults.watch(set.copy, async () => {
      let before = 0;
      for (const part of parts) {
        await verifyPart(set.storage, set.keyOf(part), part, signal, (bytes) => {
          running.progress.bytes = before + bytes;
        });
        before += part.stored.size_bytes;
      }
    });
    await this.faults.clear(set.copy);
    return set;
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
