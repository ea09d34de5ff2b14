import { ENGINE_KINDS } from '../engines/engine.js';
import { ENGINE_LIST } from '../engines/engine-list.js';
import type { Declarations } from './declaration.js';
import { pathText } from './fault.js';

/** Without a database's name all of the server's are meant, where an engine knows how. */
function supportsWholeServer(engine: string | undefined): boolean {
  const kind = ENGINE_KINDS.find((known) => known === engine);
  return kind !== undefined && ENGINE_LIST[kind].traits.supportsWholeServer;
}

/** What a check without the service leaves open, as sentences. */
export function offlineNotes({ databases, schedules }: Declarations): string[] {
  const notes: string[] = [];
  for (const { path, name, engine, edits } of databases) {
    const { uri, host, databaseName } = edits.connection;
    const missing = [
      ...(engine === undefined ? ['engine'] : []),
      ...(uri || host ? [] : ['host']),
      ...(uri || databaseName || supportsWholeServer(engine) ? [] : ['database_name']),
    ];
    if (name !== '' && missing.length > 0) {
      notes.push(
        `${pathText(path)} says no ${missing.join(' and no ')}: it is good only if "${name}" is registered already`,
      );
    }
  }
  const names = new Set(databases.map(({ name }) => name));
  for (const { path, database } of schedules.filter((each) => !names.has(each.database))) {
    if (database !== '')
      notes.push(
        `${pathText(path)} is of "${database}", which is not in the file: it must be registered already`,
      );
  }
  const variables = databases.flatMap(({ edits: { connection } }) => [
    connection.usernameVar,
    connection.passwordVar,
  ]);
  const named = [...new Set(variables.filter((variable) => typeof variable === 'string'))];
  if (named.length > 0)
    notes.push(`the service must have these variables, or each with _FILE: ${named.join(', ')}`);
  if (databases.length > 0) {
    notes.push('whether a name is registered with another engine shows when the service starts');
    notes.push('whether the servers answer is told by: backstop databases test NAME');
  }
  return notes;
}
