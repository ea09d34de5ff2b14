import { DomainError } from '../errors/domain-error.js';

/** Another service holds this catalog. */
export class CatalogInUseError extends DomainError {
  constructor(path: string) {
    super({
      code: 'catalog-in-use',
      kind: 'conflict',
      detail: `another Backstop is running on the catalog ${path}; stop it first, or give this one its own DATABASE_PATH`,
      facts: { path },
    });
  }
}

/** The catalog's folder or file cannot be made or written. */
export class CatalogNotWritableError extends DomainError {
  constructor(path: string, reason: string, cause: unknown) {
    super({
      code: 'catalog-not-writable',
      kind: 'unavailable',
      detail: `the catalog ${path} cannot be opened for writing (${reason}); check the folder's owner, rights and free space`,
      facts: { path },
      cause,
    });
  }
}

/** The disk under the catalog has no room for a change; nothing of that change was made. */
export class CatalogFullError extends DomainError {
  constructor(place: string, cause: unknown) {
    super({
      code: 'catalog-full',
      kind: 'unavailable',
      retryable: true,
      detail: `the disk of the catalog ${place} is full, so nothing was changed; free some space there`,
      facts: { place },
      cause,
    });
  }
}

/** The catalog's file is no SQLite database, or a damaged one. */
export class CatalogCorruptError extends DomainError {
  constructor(path: string, reason: string, cause?: unknown) {
    super({
      code: 'catalog-corrupt',
      kind: 'unavailable',
      detail: `the catalog ${path} is damaged or is no SQLite database (${reason}); nothing was changed in it`,
      facts: { path },
      cause,
    });
  }
}

/** The PostgreSQL server of the catalog cannot be reached or refuses us. */
export class CatalogUnreachableError extends DomainError {
  constructor(place: string, reason: string, cause: unknown) {
    super({
      code: 'catalog-unreachable',
      kind: 'unavailable',
      detail: `the catalog at ${place} cannot be used (${reason}); check DATABASE_URL and that the server runs`,
      retryable: true,
      facts: { place },
      cause,
    });
  }
}

/** A newer Backstop has changed the catalog in ways that this one does not know. */
export class CatalogTooNewError extends DomainError {
  constructor(place: string, unknownMigrations: readonly string[]) {
    super({
      code: 'catalog-too-new',
      kind: 'conflict',
      detail:
        `the catalog ${place} was made by a newer Backstop (unknown: ${unknownMigrations.join(', ')}); ` +
        'start that version, or restore the catalog of this one',
      facts: { place, unknown_migrations: unknownMigrations },
    });
  }
}
