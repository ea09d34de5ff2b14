import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';

import { BackupsModule } from './backups/backups.module.js';
import { CatalogModule } from './catalog/catalog.module.js';
import { ClockModule } from './clock/clock.module.js';
import { CompatModule } from './compat/compat.module.js';
import { ConfigModule } from './config/config.module.js';
import { DeclaredModule } from './declared/declared.module.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { DatabasesModule } from './databases/databases.module.js';
import { ProcessModule } from './process/process.module.js';
import { SecretsModule } from './secrets/secrets.module.js';
import { HttpModule } from './http/http.module.js';
import { LoggingModule } from './logging/logging.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { QueueModule } from './queue/queue.module.js';
import { RetentionModule } from './retention/retention.module.js';
import { SchedulerModule } from './scheduler/scheduler.module.js';
import { RestoreModule } from './restore/restore.module.js';
import { VerificationModule } from './verification/verification.module.js';

/** The whole service. Platform first: its middleware must run before that of the rooms. */
@Module({
  imports: [
    ConfigModule,
    LoggingModule,
    ClockModule,
    ProcessModule,
    CatalogModule,
    HttpModule,
    SecretsModule,
    QueueModule,
    EventsModule,
    ScheduleModule.forRoot(),
    HealthModule,
    MetricsModule,
    DatabasesModule,
    BackupsModule,
    RestoreModule,
    VerificationModule,
    DeclaredModule,
    RetentionModule,
    SchedulerModule,
    CompatModule,
  ],
})
export class AppModule {}
