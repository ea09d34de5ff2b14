import { OmitType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsArray, IsObject, IsOptional, IsString, MaxLength, ValidateNested } from 'class-validator';

import { DatabaseChanges } from '../../databases/dto/database-changes.dto.js';
import { Omittable } from '../../databases/dto/omittable.js';
import { TlsFields } from '../../databases/dto/tls-fields.dto.js';
import { NewSchedule } from '../../scheduler/dto/schedule-fields.dto.js';

/** How the connection is protected, without the private key: that is a secret. */
export class DeclaredTls extends OmitType(TlsFields, ['key'] as const) {}

/**
 * One of `databases`: the fields of a registration, without its secrets. What is left out stays as it is, so that all but the name may
 * be left out of a database that is registered already.
 */
export class DeclaredDatabase extends OmitType(DatabaseChanges, ['name', 'password', 'tls'] as const) {
  /**
   * By which it is known.
   * @example "shop"
   */
  @IsString()
  name: string;

  /**
   * Its kind.
   * @example "postgres"
   */
  @Omittable()
  @IsString()
  engine?: string;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => DeclaredTls)
  tls?: DeclaredTls | null;
}

/** One of `schedules`: a schedule of its own name, beside what the database's fields say in short. */
export class DeclaredSchedule extends OmitType(NewSchedule, ['name'] as const) {
  /**
   * By which it is known, with its database.
   * @example "hourly"
   */
  @IsString()
  @MaxLength(63)
  name: string;
}

/** The whole file. An empty section says nothing. */
export class ConfigFileBody {
  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => DeclaredDatabase)
  databases?: DeclaredDatabase[] | null;

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => DeclaredSchedule)
  schedules?: DeclaredSchedule[] | null;
}
