import { QueryFailedError } from 'typeorm';

import { CatalogFullError } from './catalog.errors.js';
import { type CatalogLocation, describeLocation } from './catalog-location.js';

/** What SQLite (result code 13) and PostgreSQL (SQLSTATE, class 53) answer when the disk takes no more. */
const FULL: readonly unknown[] = ['SQLITE_FULL', '53100'];

/** What an error of a transaction means for the operator; every other one is given back as it is. */
export function translateWriteError(location: CatalogLocation, error: unknown): unknown {
  if (!(error instanceof QueryFailedError)) return error;
  const cause: unknown = error.driverError;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return FULL.includes(code) ? new CatalogFullError(describeLocation(location), error) : error;
}
