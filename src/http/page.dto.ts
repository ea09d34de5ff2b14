import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** Which part of a list is wanted. Lists with filters extend this. */
export class PageQuery {
  /** How many at most. */
  @ApiPropertyOptional({ type: 'integer' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit: number = 50;

  /** From the `Link` header of the page before; left out for the first page. */
  @IsOptional()
  @IsString()
  @MaxLength(500)
  cursor?: string;
}
