import { Module } from '@nestjs/common';

import { BackupsModule } from '../backups/backups.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { DatabasesModule } from '../databases/databases.module.js';
import { EnginesModule } from '../engines/engines.module.js';
import { ArchiveChecker } from './archive-checker.js';
import { DatabasePlacer } from './database-placer.js';
import { FreshDatabases } from './fresh-databases.js';
import { RestoreAttempt } from './restore-attempt.js';
import { RestoreLoader } from './restore-loader.js';
import { RestoreMoves } from './restore-moves.js';
import { RestoreOutcomes } from './restore-outcomes.js';
import { RestorePlanner } from './restore-planner.js';
import { RestorePreparer } from './restore-preparer.js';
import { RunningRestores } from './restore-progress.js';
import { RestoreQueries } from './restore-queries.js';
import { RestoreRunner } from './restore-runner.js';
import { RestoreSettler } from './restore-settler.js';
import { RestoreTargets } from './restore-targets.js';
import { RestoreTies } from './restore-ties.js';
import { Restore } from './restore.entity.js';
import { RestoresController } from './restores.controller.js';
import { RestoresService } from './restores.service.js';
import { SafetyBackups } from './safety-backups.js';
import { TargetInspector } from './target-inspector.js';

/** Restores: loading a backup into a database, and proving that it arrived. */
@Module({
  imports: [CatalogModule.forFeature([Restore]), BackupsModule, DatabasesModule, EnginesModule],
  controllers: [RestoresController],
  providers: [
    ArchiveChecker,
    DatabasePlacer,
    FreshDatabases,
    RestoreAttempt,
    RestoreLoader,
    RestoreMoves,
    RestoreOutcomes,
    RestorePlanner,
    RestorePreparer,
    RestoreQueries,
    RestoreRunner,
    RestoreSettler,
    RestoreTargets,
    RestoreTies,
    RestoresService,
    RunningRestores,
    SafetyBackups,
    TargetInspector,
  ],
  exports: [RestoreQueries, RestoresService, RunningRestores],
})
export class RestoreModule {}
