import type { ServerFacts } from '../engines/engine.js';

/**
 * Sentences about extensions that a restored copy has in another version than the original: they may behave otherwise, which
 * no comparison of rows would tell. Pure; engines without `details.extensions` have none.
 */
export function notesOnExtensions(before: ServerFacts, after: ServerFacts): string[] {
  const found = versionsIn(after);
  return [...versionsIn(before)].flatMap(([name, version]) => {
    const other = found.get(name);
    return other === undefined || other === version
      ? []
      : [`The extension ${name} has version ${other}; it had ${version} where the backup was made.`];
  });
}

function versionsIn({ details }: ServerFacts): Map<string, string> {
  const { extensions } = details;
  if (typeof extensions !== 'object' || extensions === null) return new Map();
  return new Map(Object.entries(extensions).map(([name, version]) => [name, String(version)]));
}
