import { Module } from '@nestjs/common';

import { CatalogModule } from '../catalog/catalog.module.js';
import { EnginesModule } from '../engines/engines.module.js';
import { ConnectionOpener } from './connection-opener.js';
import { DatabaseDependents } from './database-dependents.js';
import { DatabaseProbe } from './database-probe.js';
import { DefaultSchedules } from './default-schedules.js';
import { DatabaseSecrets } from './database-secrets.js';
import { Database } from './database.entity.js';
import { DatabasesController } from './databases.controller.js';
import { DatabasesService } from './databases.service.js';
import { SealedSecretsCheck } from './sealed-secrets-check.js';

/** The databases that are backed up, and the connections to them. */
@Module({
  imports: [CatalogModule.forFeature([Database]), EnginesModule],
  controllers: [DatabasesController],
  providers: [
    DatabasesService,
    DatabaseProbe,
    DatabaseSecrets,
    DatabaseDependents,
    DefaultSchedules,
    ConnectionOpener,
    SealedSecretsCheck,
  ],
  exports: [DatabaseProbe, DatabasesService, DatabaseDependents, DefaultSchedules, ConnectionOpener],
})
export class DatabasesModule {}
