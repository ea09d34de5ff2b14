import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';

/** Whether the request waits for the result. */
export class WaitQuery {
  /**
   * Answer only when the work is completed (200) or has ended otherwise (problem): a gate for deployments.
   * @example 'completed'
   */
  @IsOptional()
  @IsIn(['completed'])
  wait?: 'completed';

  /**
   * Longest time to wait, in seconds.
   * @example 600
   */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(86_400)
  timeout_seconds: number = 3600;
}
