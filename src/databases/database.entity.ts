import { Column, Entity, Index, PrimaryColumn, Unique, type ValueTransformer } from 'typeorm';

import { idColumn, timeColumn } from '../catalog/columns.js';
import type { ConnectionParameters, EngineKind, TlsChoice } from '../engines/engine.js';
import type { DatabaseOptions } from './database-options.js';
import type { RetentionSettings } from './retention-policy.js';

/** A TLS choice as it lies in the catalog: the private key sealed. */
export interface StoredTls extends Omit<TlsChoice, 'key'> {
  keySealed?: string;
}

/** Rows from before there was retention hold null. A default of the column would do, but TypeORM gives its bare text to new entities. */
const NO_SETTINGS_YET: ValueTransformer = {
  from: (settings: RetentionSettings | null) => settings ?? {},
  to: (settings: RetentionSettings) => settings,
};

/**
 * A database that is backed up. Holds nothing that opens it: the password is sealed for this row, or is in an environment
 * variable whose name is here. Of each pair (`username`, `usernameVar`), (`passwordSealed`, `passwordVar`) at most one is set.
 */
@Entity({ name: 'databases' })
@Unique('uq_databases_name', ['name'])
@Index('uq_databases_idempotency', ['idempotencyKey'], { unique: true })
export class Database {
  @PrimaryColumn({ name: 'id', ...idColumn })
  id: string;

  /** Under which it is registered: in URLs, in folder and file names, as a label of metrics. */
  @Column({ name: 'name', type: 'varchar', length: 63 })
  name: string;

  @Column({ name: 'engine', type: 'varchar', length: 32 })
  engine: EngineKind;

  @Column({ name: 'host', type: 'varchar', length: 253 })
  host: string;

  @Column({ name: 'port', type: 'integer' })
  port: number;

  /** Its name on the server; empty: every database there. */
  @Column({ name: 'database_name', type: 'text' })
  databaseName: string;

  @Column({ name: 'username', type: 'text', nullable: true })
  username: string | null;

  @Column({ name: 'username_var', type: 'varchar', length: 128, nullable: true })
  usernameVar: string | null;

  @Column({ name: 'password_sealed', type: 'text', nullable: true })
  passwordSealed: string | null;

  @Column({ name: 'password_var', type: 'varchar', length: 128, nullable: true })
  passwordVar: string | null;

  /** What else its engine needs to connect. */
  @Column({ name: 'parameters', type: 'simple-json' })
  parameters: ConnectionParameters;

  @Column({ name: 'tls', type: 'simple-json' })
  tls: StoredTls;

  @Column({ name: 'options', type: 'simple-json' })
  options: DatabaseOptions;

  /** What was set of its policy; see `completePolicy` for what counts. */
  @Column({ name: 'retention', type: 'simple-json', nullable: true, transformer: NO_SETTINGS_YET })
  retention: RetentionSettings;

  @Column({ name: 'created_at', ...timeColumn })
  createdAt: Date;

  @Column({ name: 'updated_at', ...timeColumn })
  updatedAt: Date;

  /** Of the request that made it; see `Origin`. */
  @Column({ name: 'idempotency_key', type: 'varchar', length: 255, nullable: true })
  idempotencyKey: string | null;

  @Column({ name: 'request_mark', type: 'varchar', length: 64, nullable: true })
  requestMark: string | null;
}
