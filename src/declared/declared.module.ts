import { Module } from '@nestjs/common';

import { DatabasesModule } from '../databases/databases.module.js';
import { SchedulerModule } from '../scheduler/scheduler.module.js';
import { DeclarationApplier } from './declaration-applier.js';
import { DeclaredAtStart } from './declared-at-start.js';

/** Edge: databases and schedules that are declared to the service instead of being made by requests. */
@Module({ imports: [DatabasesModule, SchedulerModule], providers: [DeclarationApplier, DeclaredAtStart] })
export class DeclaredModule {}
