import { Module } from '@nestjs/common';

import { BackupsModule } from '../backups/backups.module.js';
import { BackupRetirement } from './backup-retirement.js';
import { ClockWatch } from './clock-watch.js';
import { ScheduleKnowledge } from './known-schedules.js';
import { CleanupController, RetentionController } from './retention.controller.js';
import { RetentionPlans } from './retention-plans.js';
import { RetentionService } from './retention.service.js';
import { RetentionSweeper } from './retention-sweeper.js';

/** What is kept of a database's backups. */
@Module({
  imports: [BackupsModule],
  controllers: [CleanupController, RetentionController],
  providers: [
    BackupRetirement,
    ClockWatch,
    RetentionPlans,
    RetentionService,
    RetentionSweeper,
    ScheduleKnowledge,
  ],
  exports: [RetentionService, ScheduleKnowledge],
})
export class RetentionModule {}
