import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';

import { BackupsController } from '../backups/backups.controller.js';
import { BackupsModule } from '../backups/backups.module.js';
import { OverviewController } from '../backups/overview.controller.js';
import { DatabasesController } from '../databases/databases.controller.js';
import { DatabasesModule } from '../databases/databases.module.js';
import { RestoreModule } from '../restore/restore.module.js';
import { RestoresController } from '../restore/restores.controller.js';
import { CleanupController } from '../retention/retention.controller.js';
import { RetentionModule } from '../retention/retention.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { ConnectionsController } from './connections.controller.js';
import { CONNECTION_NAMES } from './dto/connection.dto.js';
import { OlderBackupsController } from './older-backups.controller.js';
import { OlderOperationsController } from './older-operations.controller.js';
import { OlderWork } from './older-work.js';
import { renaming } from './renaming.js';

/** What the fields of a schedule are called today. */
const SCHEDULE_NAMES = {
  cron_expression: 'cron',
  is_active: 'enabled',
  connection_id: 'database_id',
} as const;

/**
 * Edge: the paths and names of the services that Backstop replaces, so that scripts written for them go on. Nothing is decided here:
 * each operation calls the one of today (controllers are providers in this room) and adds what the older answer had.
 */
@Module({
  imports: [BackupsModule, DatabasesModule, RestoreModule, RetentionModule, StorageModule],
  controllers: [OlderBackupsController, OlderOperationsController, ConnectionsController],
  providers: [
    BackupsController,
    CleanupController,
    DatabasesController,
    OverviewController,
    RestoresController,
    OlderWork,
  ],
})
export class CompatModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(renaming(CONNECTION_NAMES)).forRoutes('connections', 'connections/{*path}');
    consumer.apply(renaming(SCHEDULE_NAMES)).forRoutes('schedules', 'schedules/{*path}');
  }
}
