import { join } from 'node:path';

import { Clock } from '../../clock/clock.js';
import { Config } from '../../config/config.js';
import { Environment } from '../../config/environment.js';
import { ToolFinder } from '../../process/tool-finder.js';
import { MONGO_TOOL_PATTERNS, MongoTools } from './mongo-tools.js';
import { MONGO_TRAITS } from './mongo-traits.js';
import { parseMongoUri } from './mongo-uri.js';
import { MongoEngine } from './mongo.engine.js';

/** The engine for MongoDB, with the MongoDB Database Tools of this machine. */
export const mongoEngine = {
  traits: MONGO_TRAITS,
  readUri: parseMongoUri,
  provider: {
    provide: MongoEngine,
    useFactory: (config: Config, environment: Environment, clock: Clock): MongoEngine => {
      const path = environment.get('PATH') ?? '';
      const finder = new ToolFinder(
        { folders: config.mongoBinDirs, patterns: MONGO_TOOL_PATTERNS, path },
        clock,
      );
      return new MongoEngine(new MongoTools(finder), { clock, workDir: join(config.workDir, 'engines') });
    },
    inject: [Config, Environment, Clock],
  },
};
