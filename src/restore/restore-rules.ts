import type { Manifest } from '../archive/manifest.js';
import type { DumpScope, EngineTraits } from '../engines/engine.js';
import { TablesUnknownError } from '../engines/tools.errors.js';
import {
  BackupPartialError,
  ConfirmationMissingError,
  RestoreChoiceUnsupportedError,
  SafetyBackupImpossibleError,
  TablesNotAllowedError,
} from './restore.errors.js';
import type { RestoreMode } from './restore-states.js';

/** What is chosen of an archive, and how it is loaded. */
export interface Choice {
  mode: RestoreMode;
  tables?: readonly string[] | undefined;
  jobs?: number | undefined;
}

type Supports = Pick<EngineTraits, 'supportsItemRestore' | 'supportsParallelRestore'>;

/**
 * Checks that the archive holds what is chosen, and that its format allows to choose it. Pure.
 * @throws BackupPartialError, TablesNotAllowedError, TablesUnknownError, RestoreChoiceUnsupportedError
 */
export function checkChoice(
  choice: Choice,
  manifest: Pick<Manifest, 'format' | 'content' | 'options'>,
  traits: Supports,
): void {
  const { tables, jobs = 1 } = choice;
  const { format } = manifest;
  if (choice.mode === 'replace') mustBeWhole(manifest.options);
  if (tables !== undefined) {
    if (choice.mode === 'replace') throw new TablesNotAllowedError();
    if (!traits.supportsItemRestore.includes(format)) {
      throw new RestoreChoiceUnsupportedError('tables', format, traits.supportsItemRestore);
    }
    const known = manifest.content.items.map((item) => item.name);
    const unknown = tables.filter((table) => !known.includes(table));
    if (unknown.length > 0) throw new TablesUnknownError(unknown, 'the backup');
  }
  if (jobs > 1 && !traits.supportsParallelRestore.includes(format)) {
    throw new RestoreChoiceUnsupportedError('jobs', format, traits.supportsParallelRestore);
  }
}

/** A database without the tables that were left out would take the place of the complete one, and they would be gone. */
function mustBeWhole({ schemas = [], includeTables = [], excludeTables = [] }: DumpScope): void {
  const limits = {
    ...(schemas.length > 0 && { schemas }),
    ...(includeTables.length > 0 && { include_tables: includeTables }),
    ...(excludeTables.length > 0 && { exclude_tables: excludeTables }),
  };
  if (Object.keys(limits).length > 0) throw new BackupPartialError(limits);
}

/**
 * Checks that replacing a database is meant, and as safe as it was asked to be. Pure.
 * @param live the database on the server that would be replaced, and the registration through which it is reached
 * @throws ConfirmationMissingError, SafetyBackupImpossibleError
 */
export function checkReplacement(
  request: { confirm?: string | undefined; safetyBackup?: boolean | undefined },
  live: { name: string; database: { name: string; databaseName: string } | null },
): void {
  const registered = live.database?.databaseName === live.name ? live.database : undefined;
  const expected = registered?.name ?? live.name;
  if (request.confirm !== expected) {
    throw new ConfirmationMissingError(expected, registered !== undefined, request.confirm);
  }
  if (registered === undefined && (request.safetyBackup ?? true))
    throw new SafetyBackupImpossibleError(live.name);
}
