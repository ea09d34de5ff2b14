import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';

import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { LOCAL_DESTINATION, StorageRegistry } from '../storage/storage-registry.js';
import { NextRun } from './next-run.js';
import { BackupStats } from './backup-stats.js';
import { BackupStatsView, BackupSummaryView, ServiceStatusView } from './stats.view.js';

const DAYS_SHOWN = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Numbers over all backups. */
@ApiTags('backups')
@Controller('backups')
export class OverviewController {
  constructor(
    private readonly stats: BackupStats,
    private readonly config: Config,
    private readonly storages: StorageRegistry,
    private readonly clock: Clock,
    private readonly nextRun: NextRun,
  ) {}

  /** Shows the service at a glance: what runs, where archives lie, how much room is left. */
  @Get('status')
  async status(): Promise<ServiceStatusView> {
    const [{ completed, running, queued }, nextRunAt, space] = await Promise.all([
      this.stats.present(),
      this.nextRun.at(),
      this.storages.open(LOCAL_DESTINATION).space(),
    ]);
    return {
      enabled: this.config.backupEnabled,
      backup_directory: this.config.backupDir,
      retention_days: this.config.backupRetentionDays,
      max_backups: this.config.backupMaxCount,
      interval_hours: this.config.backupIntervalHours,
      total_backups: completed,
      running,
      queued,
      scheduler: { next_run_at: nextRunAt?.toISOString() ?? null },
      disk: space === undefined ? null : { free_bytes: space.freeBytes, total_bytes: space.totalBytes },
    };
  }

  /** Totals, per database, and per day of the last 30 days. */
  @Get('stats')
  async all(): Promise<BackupStatsView> {
    const first = new Date(this.clock.now().getTime() - (DAYS_SHOWN - 1) * DAY_MS);
    return this.stats.all(first.toISOString().slice(0, 10));
  }

  /** Totals only. */
  @Get('stats/summary')
  async summary(): Promise<BackupSummaryView> {
    return this.stats.summary();
  }
}
