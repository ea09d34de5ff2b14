import { PickType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

import { WaitQuery } from '../../backups/dto/wait-query.dto.js';

/** Older services answered when the work was done; so do these paths. */
export class PatienceQuery extends PickType(WaitQuery, ['timeout_seconds'] as const) {
  /** May be given, as at the path of today; here it is always so. */
  @IsOptional()
  @IsIn(['completed'])
  wait?: 'completed';
}
