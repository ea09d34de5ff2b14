import type { FactoryProvider } from '@nestjs/common';

import type { Engine, EngineKind } from './engine.js';
import { mongoEngine } from './mongo/mongo.provider.js';
import { postgresEngine } from './postgres/postgres.provider.js';

/** An engine, as the list has it. */
export interface ListedEngine extends Pick<Engine, 'traits' | 'readUri'> {
  /** Makes the engine where a service runs. Where none does, its facts are beside this. */
  provider: FactoryProvider<Engine>;
}

/** Every kind of database that can be backed up; a new engine is one line more, and without it its kind does not compile. */
export const ENGINE_LIST: Readonly<Record<EngineKind, ListedEngine>> = {
  postgres: postgresEngine,
  mongodb: mongoEngine,
};
