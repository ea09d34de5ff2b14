import type { Manifest } from '../archive/manifest.js';
import type { Inspection } from '../engines/engine.js';
import type { ArchiveDifference } from './verification.errors.js';

/**
 * Compares what an engine has found in an archive with its manifest. Pure. Only what a restore would lack counts: everything that has
 * rows must be there. An archive may well hold more, and hold nothing of what is empty.
 * @returns undefined when nothing is missing
 */
export function compareWithManifest(manifest: Manifest, found: Inspection): ArchiveDifference | undefined {
  const items = new Set(found.items);
  const isThere = (name: string): boolean =>
    items.has(name) || (isOfServer(manifest) && items.has(bare(name)));
  const missing = manifest.content.items
    .filter(({ name, rows }) => rows > 0 && !isThere(name))
    .map(({ name }) => name);
  const expected = manifest.parts.find(({ role }) => role === 'data')?.plain.size_bytes ?? 0;
  if (missing.length === 0 && found.plainBytes === expected) return undefined;
  return { missing, plainBytes: { expected, found: found.plainBytes } };
}

/** A backup of all databases of a server names items with their database; its archive tells that only where there are several. */
function isOfServer({ database }: Manifest): boolean {
  return database.database_name === '';
}

function bare(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}
