import { Module } from '@nestjs/common';

import { BackupsModule } from '../backups/backups.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { DatabasesModule } from '../databases/databases.module.js';
import { DefaultScheduleKeeper } from './default-schedule-keeper.js';
import { MissedRunAlert } from './missed-run-alert.js';
import { RemovedSchedule } from './removed-schedule.entity.js';
import { RetentionModule } from '../retention/retention.module.js';
import { RetentionTies } from './retention-ties.js';
import { RunStarter } from './run-starter.js';
import { Schedule } from './schedule.entity.js';
import { ScheduleEditor } from './schedule-editor.js';
import { SchedulePreviews } from './schedule-previews.js';
import { ScheduleQueries } from './schedule-queries.js';
import { ScheduleTicker } from './schedule-ticker.js';
import { ScheduleTimings } from './schedule-timings.js';
import { SchedulesController } from './schedules.controller.js';
import { SchedulesService } from './schedules.service.js';

/** When databases are backed up. */
@Module({
  imports: [
    CatalogModule.forFeature([RemovedSchedule, Schedule]),
    DatabasesModule,
    BackupsModule,
    RetentionModule,
  ],
  controllers: [SchedulesController],
  // The keeper before the ticker: at the start it brings the schedules up to date that the ticker then looks at.
  providers: [
    ScheduleTimings,
    MissedRunAlert,
    ScheduleEditor,
    DefaultScheduleKeeper,
    SchedulesService,
    ScheduleQueries,
    SchedulePreviews,
    RunStarter,
    RetentionTies,
    ScheduleTicker,
  ],
  exports: [ScheduleTicker, SchedulesService],
})
export class SchedulerModule {}
