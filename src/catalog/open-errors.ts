import { DomainError } from '../errors/domain-error.js';
import { CatalogCorruptError, CatalogNotWritableError, CatalogUnreachableError } from './catalog.errors.js';
import { type CatalogLocation, describeLocation } from './catalog-location.js';

const CORRUPT = /SQLITE_(CORRUPT|NOTADB)/;
const NOT_WRITABLE =
  /SQLITE_(CANTOPEN|READONLY|PERM|FULL|IOERR|AUTH|BUSY|LOCKED)|EACCES|EROFS|ENOTDIR|EEXIST|ENOSPC|EPERM/;

/** What an error at opening means for the operator. An error of the domain, or one that nobody expected, is given back. */
export function translateOpenError(location: CatalogLocation, error: unknown): unknown {
  if (error instanceof DomainError || !(error instanceof Error)) return error;
  const place = describeLocation(location);
  if (location.kind === 'postgres')
    return isFromServer(error) ? new CatalogUnreachableError(place, reasonOf(error), error) : error;
  const corrupt = CORRUPT.exec(error.message);
  if (corrupt) return new CatalogCorruptError(place, corrupt[0], error);
  const notWritable = NOT_WRITABLE.exec(error.message);
  return notWritable ? new CatalogNotWritableError(place, notWritable[0], error) : error;
}

/** Errors of the network (`ECONNREFUSED`) and of the server (SQLSTATE) have a code; mistakes in our code have none. */
function isFromServer(error: Error & { code?: unknown }): boolean {
  return typeof error.code === 'string' || /timeout/i.test(error.message);
}

/** One line. The messages of `pg` name host, user and database, never the password. */
function reasonOf(error: Error & { code?: unknown }): string {
  const text = error.message || String(error.code);
  return text.split('\n')[0] ?? text;
}
