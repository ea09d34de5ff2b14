import type { EngineTraits } from '../engine.js';

/** What others need to know of PostgreSQL, as data. */
export const POSTGRES_TRAITS: EngineTraits = {
  defaultPort: 5432,
  uriExample: 'postgres://backup@db.example.com:5432/shop?sslmode=require',
  connectionParameters: [],
  supportsWholeServer: false,
  formats: ['custom', 'plain'],
  defaultFormat: 'custom',
  itemWord: 'table',
  itemNameRule: { pattern: /^[^.]+\..+$/s, words: 'must be written with its schema: schema.table' },
  supportsRoles: true,
  supportsContentHash: true,
  supportsSchemas: true,
  supportsItemChoice: false,
  dumpTools: [],
  supportsItemRestore: ['custom'],
  supportsParallelRestore: ['custom'],
  maxDatabaseNameBytes: 63,
  renames: 'atomic',
  showsLife: true,
};
