import { join } from 'node:path';

import { Clock } from '../../clock/clock.js';
import { Config } from '../../config/config.js';
import { Environment } from '../../config/environment.js';
import { ToolFinder } from '../../process/tool-finder.js';
import { POSTGRES_TOOL_PATTERNS, PostgresTools } from './postgres-tools.js';
import { POSTGRES_TRAITS } from './postgres-traits.js';
import { parsePostgresUri } from './postgres-uri.js';
import { PostgresEngine } from './postgres.engine.js';

/** The engine for PostgreSQL, with the client tools of this machine. */
export const postgresEngine = {
  traits: POSTGRES_TRAITS,
  readUri: parsePostgresUri,
  provider: {
    provide: PostgresEngine,
    useFactory: (config: Config, environment: Environment, clock: Clock): PostgresEngine => {
      const path = environment.get('PATH') ?? '';
      const finder = new ToolFinder(
        { folders: config.pgBinDirs, patterns: POSTGRES_TOOL_PATTERNS, path },
        clock,
      );
      return new PostgresEngine(new PostgresTools(finder), {
        clock,
        workDir: join(config.workDir, 'engines'),
      });
    },
    inject: [Config, Environment, Clock],
  },
};
