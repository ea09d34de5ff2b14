import { Module } from '@nestjs/common';

import { type Engine, ENGINES } from './engine.js';
import { ENGINE_LIST } from './engine-list.js';
import { EngineRegistry } from './engine-registry.js';
import { EnginesController } from './engines.controller.js';

const engines = Object.values(ENGINE_LIST).map(({ provider }) => provider);

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
