import { join } from 'node:path';

import { Module } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { Environment } from '../config/environment.js';
import { ToolFinder } from '../process/tool-finder.js';
import { ENGINES } from './engine.js';
import { EngineRegistry } from './engine-registry.js';
import { EnginesController } from './engines.controller.js';
import { POSTGRES_TOOL_PATTERNS, PostgresTools } from './postgres/postgres-tools.js';
import { PostgresEngine } from './postgres/postgres.engine.js';

const postgres = {
  provide: PostgresEngine,
  useFactory: (config: Config, environment: Environment, clock: Clock): PostgresEngine => {
    const folders = config.pgBinDirs;
    const path = environment.get('PATH') ?? '';
    const finder = new ToolFinder({ folders, patterns: POSTGRES_TOOL_PATTERNS, path }, clock);
    return new PostgresEngine(new PostgresTools(finder), { clock, workDir: join(config.workDir, 'engines') });
  },
  inject: [Config, Environment, Clock],
};

/** Drivers: every kind of database that can be backed up. A new engine is one provider and one name in `ENGINES`. */
@Module({
  controllers: [EnginesController],
  providers: [
    postgres,
    { provide: ENGINES, useFactory: (...engines: unknown[]) => engines, inject: [PostgresEngine] },
    EngineRegistry,
  ],
  exports: [EngineRegistry],
})
export class EnginesModule {}
