import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

import { BACKUPS_CHOICES, type BackupsChoice } from '../database-dependents.js';

/** What goes with a registration. */
export class RemovalQuery {
  /** `keep` leaves its backups where they are; `delete` deletes them all, archives included. */
  @ApiPropertyOptional()
  @IsOptional()
  @IsIn(BACKUPS_CHOICES)
  backups: BackupsChoice = 'keep';
}
