import type { Manifest } from '../archive/manifest.js';
import type { EngineTraits } from '../engines/engine.js';
import { TablesUnknownError } from '../engines/tools.errors.js';
import {
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
 * @throws TablesNotAllowedError, TablesUnknownError, RestoreChoiceUnsupportedError
 */
export function checkChoice(
  choice: Choice,
  manifest: Pick<Manifest, 'format' | 'content'>,
  traits: Supports,
): void {
  const { tables, jobs = 1 } = choice;
  const { format } = manifest;
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
