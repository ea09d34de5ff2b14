import { Module } from '@nestjs/common';

import { DatabasesModule } from '../databases/databases.module.js';
import { EnvironmentDatabases } from './environment-databases.js';

/** Edge: databases that are declared to the service instead of being registered by a request. */
@Module({ imports: [DatabasesModule], providers: [EnvironmentDatabases] })
export class DeclaredModule {}
