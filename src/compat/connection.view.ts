import { DatabaseView, SavedDatabaseView } from '../databases/dto/database.view.js';
import { ProbeView } from '../databases/dto/probe.view.js';
import { fieldsOf } from '../http/view-fields.js';

/** A registered database, with the names that its fields had in older services. */
export class ConnectionView extends DatabaseView {
  /**
   * The same as `engine`.
   * @example 'postgres'
   */
  type: string;
  /**
   * The same as `database_name`; null: every database of the server.
   * @example 'shop'
   */
  database: string | null;
}

/** A database as it was just registered or changed. */
export class SavedConnectionView extends SavedDatabaseView {
  /** That it was done; what fails is answered with a problem. */
  status: 'success';
  /**
   * The same in words for people.
   * @example 'Connection saved: shop'
   */
  message: string;
  /**
   * When it was changed, in UTC.
   * @example '2026-11-21T03:00:00.000Z'
   */
  timestamp: string;
  /**
   * The same as `engine`.
   * @example 'postgres'
   */
  type: string;
  /**
   * The same as `database_name`; null: every database of the server.
   * @example 'shop'
   */
  database: string | null;
}

/** A registration that was removed. */
export class RemovedConnectionView {
  /** That it was done; what fails is answered with a problem. */
  status: 'success';
  /**
   * The same in words for people.
   * @example 'Connection removed: shop; its backups are kept'
   */
  message: string;
  /**
   * When it was removed, in UTC.
   * @example '2026-11-21T03:00:00.000Z'
   */
  timestamp: string;
  /**
   * What was removed.
   * @example '019aa5c5-3f7e-7000-8000-2b1f6c0e4d11'
   */
  id: string;
}

/** A connection that works. */
export class ConnectionTestView extends ProbeView {
  /** That it works; what fails is answered with a problem. */
  status: 'success';
  /**
   * The same in words for people.
   * @example 'Connection successful: PostgreSQL 18.1'
   */
  message: string;
  /**
   * When it was tried, in UTC.
   * @example '2026-11-21T03:00:00.000Z'
   */
  timestamp: string;
  /**
   * Version of a PostgreSQL server, the same as `server_version`; absent with other engines.
   * @example '18.1'
   */
  postgresql_version?: string;
}

/** The fields of a record under their older names. */
export function olderNamesOf({ engine, database_name }: DatabaseView): {
  type: string;
  database: string | null;
} {
  return { type: engine, database: database_name ?? null };
}

export function toSavedConnection(saved: SavedDatabaseView): SavedConnectionView {
  return {
    ...fieldsOf(saved),
    ...olderNamesOf(saved),
    status: 'success',
    message: `Connection saved: ${saved.name}`,
    timestamp: saved.updated_at,
  };
}
