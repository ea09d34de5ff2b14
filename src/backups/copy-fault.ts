import { ArchiveDamagedError, ArchiveMissingError } from '../archive/archive.errors.js';
import { ManifestInvalidError } from '../archive/manifest.errors.js';
import { StorageObjectMissingError } from '../storage/storage.errors.js';
import { ManifestChangedError } from './backups.errors.js';
import type { CopyState } from './backup-states.js';

/**
 * What an error met while reading a copy proves against it. Most prove nothing (no right to read, a storage that is away, a
 * read that was cut, a manifest of a newer Backstop): a good backup must never be called bad because of them.
 */
export function faultOf(error: unknown): Extract<CopyState, 'damaged' | 'missing'> | undefined {
  if (error instanceof ArchiveMissingError || error instanceof StorageObjectMissingError) return 'missing';
  const proofs = [ArchiveDamagedError, ManifestChangedError, ManifestInvalidError];
  return proofs.some((proof) => error instanceof proof) ? 'damaged' : undefined;
}
