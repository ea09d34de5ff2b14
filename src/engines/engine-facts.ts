import type { Engine, EngineKind } from './engine.js';
import { parseMongoUri } from './mongo/mongo-uri.js';
import { MONGO_TRAITS } from './mongo/mongo-traits.js';
import { POSTGRES_TRAITS } from './postgres/postgres-traits.js';
import { parsePostgresUri } from './postgres/postgres-uri.js';

/** What is known of each engine without making one: for checks where no service runs. */
export const ENGINE_FACTS: Readonly<Record<EngineKind, Pick<Engine, 'traits' | 'readUri'>>> = {
  postgres: { traits: POSTGRES_TRAITS, readUri: parsePostgresUri },
  mongodb: { traits: MONGO_TRAITS, readUri: parseMongoUri },
};
