import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { SchedulerModule } from '../scheduler/scheduler.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { HealthChecks } from './health-checks.js';
import { HealthController } from './health.controller.js';

/** Edge: what orchestrators and load balancers ask. */
@Module({
  imports: [TerminusModule, StorageModule, SchedulerModule],
  controllers: [HealthController],
  providers: [HealthChecks],
})
export class HealthModule {}
