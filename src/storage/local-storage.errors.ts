import { DomainError } from '../errors/domain-error.js';
import {
  StorageFileTooLargeError,
  StorageFullError,
  StorageKeyInvalidError,
  StorageNotReadableError,
  StorageNotWritableError,
  StorageUnavailableError,
} from './storage.errors.js';

/** What was being done, to what, when the operating system refused. */
export interface FileWork {
  doing: 'read' | 'write';
  /** The folder that this storage keeps. */
  root: string;
  key?: string;
}

/** Translates what the operating system said (`errno`) into an error of the storage room (S8). */
export function toStorageError(error: unknown, work: FileWork): DomainError {
  if (error instanceof DomainError) return error;
  const code = errnoOf(error);
  const place = `the folder ${work.root}`;
  const facts = { folder: work.root, ...(work.key === undefined ? {} : { key: work.key }), errno: code };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StorageFullError(place, facts, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return work.doing === 'write'
        ? new StorageNotWritableError(place, facts, error)
        : new StorageNotReadableError(place, facts, error);
    case 'EFBIG':
      return new StorageFileTooLargeError(place, facts, error);
    case 'ENAMETOOLONG':
      return new StorageKeyInvalidError(work.key ?? '', 'it is too long for this file system');
    case undefined:
    default:
      return new StorageUnavailableError(place, sentenceOf(error), facts, error);
  }
}

/** The word that the operating system gave (`ENOENT`), if it is such an error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether nothing is at a path: the name, or a folder on the way to it, does not exist. */
export function isAbsence(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
