import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { StorageModule } from '../storage/storage.module.js';
import { HealthChecks } from './health-checks.js';
import { HealthController } from './health.controller.js';

/** Edge: what orchestrators and load balancers ask. */
@Module({
  imports: [TerminusModule, StorageModule],
  controllers: [HealthController],
  providers: [HealthChecks],
})
export class HealthModule {}
