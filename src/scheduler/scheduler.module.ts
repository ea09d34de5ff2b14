import { Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { Schedule } from './schedule.entity.js';

/** When databases are backed up. */
@Module({ imports: [CatalogModule.forFeature([Schedule])] })
export class SchedulerModule {}
