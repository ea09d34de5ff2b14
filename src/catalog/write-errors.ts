import { QueryFailedError } from 'typeorm';

import { CatalogFullError } from './catalog.errors.js';
import { type CatalogLocation, describeLocation } from './catalog-location.js';

/** What SQLite (result code 13) and PostgreSQL (SQLSTATE, class 53) answer when the disk takes no more. */
const FULL: readonly unknown[] = ['SQLITE_FULL', '53100'];

/**
 * Whether a row was refused because another one has the same value there. SQLite names the columns, PostgreSQL the index.
 * @param word how the column begins, and the index behind `uq_<table>_`
 */
export function violatesUnique(error: unknown, table: string, word: string): boolean {
  return (
    error instanceof QueryFailedError &&
    (error.message.includes(`${table}.${word}`) || error.message.includes(`uq_${table}_${word}`))
  );
}

/** What an error of a transaction means for the operator; every other one is given back as it is. */
export function translateWriteError(location: CatalogLocation, error: unknown): unknown {
  if (!(error instanceof QueryFailedError)) return error;
  const cause: unknown = error.driverError;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return FULL.includes(code) ? new CatalogFullError(describeLocation(location), error) : error;
}
