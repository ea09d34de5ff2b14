import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional } from 'class-validator';

export class DownloadDto {
  /** Decompressed: what pg_restore or psql reads. */
  @IsOptional()
  @Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : (value as unknown)))
  @IsBoolean()
  plain: boolean = false;

  /** The data, or the server's roles when they were asked for. */
  @IsOptional()
  @IsIn(['data', 'roles'])
  part: 'data' | 'roles' = 'data';
}
