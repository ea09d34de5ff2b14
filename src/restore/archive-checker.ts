import { Injectable } from '@nestjs/common';

import { ArchiveChecks, type Reading } from '../backups/archive-checks.js';
import { BackupQueries } from '../backups/backup-queries.js';
import type { ArchiveSet } from '../backups/stored-manifest.js';
import { RestoreStalledError } from './restore.errors.js';
import type { RunningRestore } from './restore-progress.js';
import type { Restore } from './restore.entity.js';

/** Makes sure, before anything is touched, that what lies at the destination is what was stored there. */
@Injectable()
export class ArchiveChecker {
  constructor(
    private readonly backups: BackupQueries,
    private readonly checks: ArchiveChecks,
  ) {}

  /**
   * Reads every part of the archive set to its end, and writes down what that shows of the copy.
   * @throws `manifest-changed`, `archive-mismatch`, `archive-damaged`, `archive-missing`, RestoreStalledError
   */
  async open(restore: Restore, running: RunningRestore, signal: AbortSignal): Promise<ArchiveSet> {
    const reading: Reading = {
      signal,
      onBytes: (bytes) => {
        running.progress.bytes = bytes;
      },
      stalled: (seconds) => new RestoreStalledError(restore.id, seconds),
    };
    const set = await this.checks.open(await this.backups.get(restore.backupId), reading);
    const { parts } = set.manifest;
    running.enter(
      'verifying',
      parts.reduce((total, part) => total + part.stored.size_bytes, 0),
    );
    await this.checks.confirm(set, reading);
    return set;
  }
}
