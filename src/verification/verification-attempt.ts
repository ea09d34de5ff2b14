import { Injectable } from '@nestjs/common';

import { BackupQueries } from '../backups/backup-queries.js';
import { BackupStateError } from '../backups/backups.errors.js';
import { StoredManifests } from '../backups/stored-manifest.js';
import { reached } from '../process/phase-points.js';
import type { CopyResult } from './copy-result.js';
import { CopyVerifier } from './copy-verifier.js';
import type { RunningVerification } from './verification-progress.js';
import type { Verification } from './verification.entity.js';

/** One attempt to verify: every copy of the backup is looked at, also behind one that is bad. It leaves nothing behind. */
@Injectable()
export class VerificationAttempt {
  constructor(
    private readonly backups: BackupQueries,
    private readonly manifests: StoredManifests,
    private readonly copies: CopyVerifier,
  ) {}

  /**
   * Gives what was found of each copy, one at least.
   * @throws BackupStateError when there is no copy, and the signal's reason
   */
  async run(
    verification: Verification,
    running: RunningVerification,
    signal: AbortSignal,
  ): Promise<CopyResult[]> {
    const backup = await this.backups.get(verification.backupId);
    const copies = await this.manifests.copiesOf(backup.id);
    if (copies.length === 0)
      throw new BackupStateError(backup.id, backup.status, 'verified: it has no archive');
    running.expect((backup.sizeBytes ?? 0) * copies.length);
    const results: CopyResult[] = [];
    for (const { id } of copies) {
      // As it is now: hours may have passed with the others, and somebody may have found a fault in it meanwhile.
      const copy = (await this.manifests.copiesOf(backup.id)).find((each) => each.id === id);
      if (copy === undefined)
        throw new BackupStateError(backup.id, backup.status, 'verified: a copy is gone');
      running.beginCopy();
      results.push(await this.copies.verify({ verification, backup, copy }, running, signal));
      reached('verification.copy-read');
    }
    return results;
  }
}
