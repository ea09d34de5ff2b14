import { OmitType } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';

import { DatabaseChanges } from '../../databases/dto/database-changes.dto.js';
import { NewDatabase } from '../../databases/dto/new-database.dto.js';

/** What the fields of a connection are called today. */
export const CONNECTION_NAMES = { type: 'engine', database: 'database_name' } as const;

/** For the documentation: a new connection with the names of older services. Those of today are taken too. */
export class NewConnectionBody extends OmitType(NewDatabase, ['engine', 'database_name'] as const) {
  /**
   * The same as `engine`.
   * @example 'postgres'
   */
  type: string;
  /**
   * The same as `database_name`.
   * @example 'shop'
   */
  database?: string;
}

/** For the documentation: changes with the names of older services. Those of today are taken too. */
export class ConnectionChangesBody extends OmitType(DatabaseChanges, ['database_name'] as const) {
  /**
   * The same as `engine`; cannot be another than before.
   * @example 'postgres'
   */
  type?: string;
  /**
   * The same as `database_name`.
   * @example 'shop'
   */
  database?: string | null;
}

/** Changes as they come in, under the names of today. */
export class ConnectionChanges extends DatabaseChanges {
  /**
   * May be said again; cannot be another than before.
   * @example 'postgres'
   */
  @IsOptional()
  @IsString()
  engine?: string;
}
