import { Injectable, Logger } from '@nestjs/common';

import { ArchiveChecks, type ReadCopy, type Reading } from '../backups/archive-checks.js';
import type { BackupCopy } from '../backups/backup-copy.entity.js';
import type { Backup } from '../backups/backup.entity.js';
import { toErrorTexts } from '../backups/row-error.js';
import type { ArchiveSet } from '../backups/stored-manifest.js';
import { ArchiveForeignError, ArchiveUnreadableError } from '../engines/tools.errors.js';
import { reached } from '../process/phase-points.js';
import { ArchiveInspector } from './archive-inspector.js';
import { type CopyResult, outcomeOfError } from './copy-result.js';
import type { RunningVerification } from './verification-progress.js';
import type { ScratchlessLevel } from './verification-states.js';
import type { Verification } from './verification.entity.js';
import { VerificationDiffersError, VerificationStalledError } from './verification.errors.js';

/** What is to be shown of which copy, and for whom. */
export interface CopyToVerify {
  verification: Verification;
  backup: Backup;
  copy: BackupCopy;
}

/** Looks at one copy of a backup: reads it from its destination, and says what that has shown. */
@Injectable()
export class CopyVerifier {
  readonly #log = new Logger('Verification');

  constructor(
    private readonly checks: ArchiveChecks,
    private readonly inspector: ArchiveInspector,
  ) {}

  /** Gives a result for whatever is found; throws only when `signal` has aborted, with its reason. */
  async verify(
    subject: CopyToVerify,
    running: RunningVerification,
    signal: AbortSignal,
  ): Promise<CopyResult> {
    const { verification, copy } = subject;
    const { destination, key } = copy;
    const shown: Shown = { level: null };
    try {
      await this.#read(subject, running, signal, shown);
      return { destination, key, outcome: 'passed', level: verification.level, error: null };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const outcome = outcomeOfError(error);
      const { id: verificationId, backupId } = verification;
      this.#log.warn(
        { err: error, verificationId, backupId, destination, key, outcome },
        'a copy did not pass',
      );
      return { destination, key, outcome, level: shown.level, error: toErrorTexts(error) };
    }
  }

  async #read(
    { verification, backup, copy }: CopyToVerify,
    running: RunningVerification,
    signal: AbortSignal,
    shown: Shown,
  ): Promise<void> {
    const reading: Reading = {
      signal,
      onBytes: (bytes) => {
        running.onBytes(bytes);
        reached('verification.bytes-read');
      },
      stalled: (seconds) => new VerificationStalledError(verification.id, seconds),
    };
    const set = await this.checks.open(backup, reading, copy);
    if (verification.level === 'intact') {
      running.enter('reading');
      await this.checks.confirm(set, reading);
      return;
    }
    running.enter('inspecting');
    await this.checks.read(set, reading, this.#inspection(set, reading, running, shown));
  }

  /**
   * The engine reads the archive once. What it cannot read may be other bytes than were stored, and that must be told apart: then they
   * are read again, as they are stored, and an error of that is the one that counts. When these are right, the first reading may have got
   * others (a bad page of a share or of memory), so the engine is asked a second time; what it refuses twice it cannot read.
   */
  #inspection(set: ArchiveSet, reading: Reading, running: RunningVerification, shown: Shown): ReadCopy<void> {
    return async (signal, onBytes) => {
      try {
        await this.inspector.inspect(set, signal, onBytes);
      } catch (error) {
        if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
        running.enter('reading');
        await this.checks.confirm(set, { ...reading, signal, onBytes });
        shown.level = 'intact';
        running.enter('inspecting');
        await this.inspector.inspect(set, signal, onBytes);
      }
    };
  }
}

/** The rung that a copy was shown to stand on although it did not pass. */
interface Shown {
  level: ScratchlessLevel | null;
}

const REFUSALS = [ArchiveUnreadableError, ArchiveForeignError, VerificationDiffersError];
