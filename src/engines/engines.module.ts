import { Module } from '@nestjs/common';

import { type Engine, ENGINES } from './engine.js';
import { EngineRegistry } from './engine-registry.js';
import { EnginesController } from './engines.controller.js';
import { mongoEngine } from './mongo/mongo.provider.js';
import { postgresEngine } from './postgres/postgres.provider.js';

/** Every kind of database that can be backed up; a new engine is one more. */
const engines = [postgresEngine, mongoEngine];

/** Drivers: what knows how to dump, read and restore. */
@Module({
  controllers: [EnginesController],
  providers: [
    ...engines,
    {
      provide: ENGINES,
      useFactory: (...all: Engine[]) => all,
      inject: engines.map(({ provide }) => provide),
    },
    EngineRegistry,
  ],
  exports: [EngineRegistry],
})
export class EnginesModule {}
