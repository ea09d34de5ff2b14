import { IsOptional, IsString, MaxLength } from 'class-validator';

import { PageQuery } from '../../http/page.dto.js';

/** Which schedules are listed. */
export class ScheduleListDto extends PageQuery {
  /**
   * Id or name of a database.
   * @example 'shop'
   */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  database_id?: string;
}
