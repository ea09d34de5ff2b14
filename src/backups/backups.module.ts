import { Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { DatabasesModule } from '../databases/databases.module.js';
import { EnginesModule } from '../engines/engines.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { ArchiveChecks } from './archive-checks.js';
import { AttemptPlanner } from './attempt-planner.js';
import { AttemptSettler } from './attempt-settler.js';
import { BackupAttempt } from './backup-attempt.js';
import { BackupCopy } from './backup-copy.entity.js';
import { BackupDownloads } from './backup-downloads.js';
import { BackupEvidence } from './backup-evidence.js';
import { BackupFilesController } from './backup-files.controller.js';
import { BackupLauncher } from './backup-launcher.js';
import { BackupLists } from './backup-lists.js';
import { BackupLog } from './backup-log.entity.js';
import { BackupMoves } from './backup-moves.js';
import { BackupOutcomes } from './backup-outcomes.js';
import { RunningBackups } from './backup-progress.js';
import { BackupQueries } from './backup-queries.js';
import { BackupRemoval } from './backup-removal.js';
import { BackupRunner } from './backup-runner.js';
import { BackupStats } from './backup-stats.js';
import { BackupUses } from './backup-uses.js';
import { BackupViews } from './backup-views.js';
import { Backup } from './backup.entity.js';
import { BackupsController } from './backups.controller.js';
import { BackupsService } from './backups.service.js';
import { CopyCleaner } from './copy-cleaner.js';
import { CopyFaults } from './copy-faults.js';
import { CopyReservations } from './copy-reservations.js';
import { DatabaseTies } from './database-ties.js';
import { LogPruner } from './log-pruner.js';
import { NextRun } from './next-run.js';
import { OrphanSweeper } from './orphan-sweeper.js';
import { OverviewController } from './overview.controller.js';
import { StoredManifests } from './stored-manifest.js';

@Module({
  imports: [
    CatalogModule.forFeature([Backup, BackupCopy, BackupLog]),
    DatabasesModule,
    EnginesModule,
    StorageModule,
  ],
  // `backups/status` before `backups/:id`.
  controllers: [OverviewController, BackupsController, BackupFilesController],
  providers: [
    ArchiveChecks,
    AttemptPlanner,
    AttemptSettler,
    BackupAttempt,
    BackupDownloads,
    BackupEvidence,
    BackupLauncher,
    BackupLists,
    BackupMoves,
    BackupOutcomes,
    BackupQueries,
    BackupRemoval,
    BackupRunner,
    BackupStats,
    BackupUses,
    BackupViews,
    NextRun,
    BackupsService,
    CopyCleaner,
    CopyFaults,
    CopyReservations,
    DatabaseTies,
    LogPruner,
    OrphanSweeper,
    RunningBackups,
    StoredManifests,
  ],
  exports: [
    ArchiveChecks,
    BackupRemoval,
    BackupStats,
    NextRun,
    BackupViews,
    BackupEvidence,
    BackupLists,
    BackupQueries,
    BackupUses,
    BackupsService,
    CopyFaults,
    StoredManifests,
  ],
})
export class BackupsModule {}
