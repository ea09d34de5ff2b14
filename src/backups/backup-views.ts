import { Injectable } from '@nestjs/common';

import { RunningBackups } from './backup-progress.js';
import { BackupQueries } from './backup-queries.js';
import { type BackupView, toBackupView } from './backup.view.js';
import type { Backup } from './backup.entity.js';

/** Puts together what a backup's view shows: the row, its copies, and the progress of what runs here. */
@Injectable()
export class BackupViews {
  constructor(
    private readonly queries: BackupQueries,
    private readonly running: RunningBackups,
  ) {}

  async of(backup: Backup): Promise<BackupView> {
    const copies = await this.queries.copiesOf([backup]);
    return toBackupView(backup, copies.get(backup.id) ?? [], this.running.of(backup.id)?.progress);
  }

  /** In the order given; one question for all copies. */
  async ofAll(backups: readonly Backup[]): Promise<BackupView[]> {
    const show = await this.shownOf(backups);
    return show();
  }

  /** Reads now what `ofAll` reads, and gives what shows it as often as it is called, with the progress of that moment. */
  async shownOf(backups: readonly Backup[]): Promise<() => BackupView[]> {
    const copies = await this.queries.copiesOf(backups);
    return () =>
      backups.map((backup) =>
        toBackupView(backup, copies.get(backup.id) ?? [], this.running.of(backup.id)?.progress),
      );
  }
}
