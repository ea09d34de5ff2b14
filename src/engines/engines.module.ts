import { Module } from '@nestjs/common';

import { EngineRegistry } from './engine-registry.js';
import { type Engine, ENGINES } from './engine.js';
import { EnginesController } from './engines.controller.js';

/** The kinds of databases. A new engine is added to the list of `ENGINES`, and nowhere else. */
@Module({
  controllers: [EnginesController],
  providers: [{ provide: ENGINES, useFactory: (): Engine[] => [] }, EngineRegistry],
  exports: [EngineRegistry],
})
export class EnginesModule {}
