import { Injectable } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { withTimeLimit } from '../clock/time-limit.js';
import { AttemptPlanner } from './attempt-planner.js';
import { BackupAttempt, type AttemptResult } from './backup-attempt.js';
import type { RunningBackup } from './backup-progress.js';
import type { Backup } from './backup.entity.js';
import { BackupTimeoutError } from './backups.errors.js';
import { CopyReservations } from './copy-reservations.js';

/** Plans an attempt and runs it within its time limit. */
@Injectable()
export class BackupLauncher {
  constructor(
    private readonly clock: Clock,
    private readonly planner: AttemptPlanner,
    private readonly reservations: CopyReservations,
    private readonly attempts: BackupAttempt,
  ) {}

  async attempt(
    backup: Backup,
    attempt: number,
    running: RunningBackup,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    const plan = await this.planner.plan(backup, attempt);
    const { timeoutSeconds: seconds, limitedBy } = plan;
    const limit =
      seconds === undefined
        ? undefined
        : { ms: seconds * 1000, reason: new BackupTimeoutError(seconds, limitedBy.timeout) };
    return withTimeLimit(this.clock, limit, signal, (limited) =>
      this.attempts.run(plan, (name) => this.reservations.reserve(plan, name), running, limited),
    );
  }
}
