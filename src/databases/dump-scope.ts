import type { DumpScope, EngineTraits } from '../engines/engine.js';
import type { DatabaseOptions } from './database-options.js';

/** What of a database its backups hold, as its options say. */
export function dumpScopeOf(
  options: DatabaseOptions,
  traits: Pick<EngineTraits, 'defaultFormat'>,
): DumpScope {
  return {
    format: options.format ?? traits.defaultFormat,
    schemas: options.schemas ?? [],
    includeTables: options.includeTables ?? [],
    excludeTables: options.excludeTables ?? [],
    includeRoles: options.includeRoles ?? false,
    hashContent: options.hashContent ?? false,
    ...(options.tool !== undefined && { tool: options.tool }),
  };
}
